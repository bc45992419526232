"""Answers whether what was billed is still true: against its own evidence, and against usage as it is now."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Sum

from billing import evidence, statements, timelines
from billing.invoicing import adjustments, lines, paying, standing
from billing.invoicing.due import ARREARS, Want
from billing.models import CreditNote, Invoice, Reconciliation, ServicePeriod
from billing.rating import Billed, Statement
from billing.rating.statement import PLAN_DISCOUNT
from billing.statements import Rated, Request
from metering import numbers, usage
from metering.documents import DocumentError
from metering.periods import format_instant
from metering.rolling import rebuilding

CHUNK = 100
SHOWN_MAX = 200  # differences that a reconciliation keeps
ZERO = Decimal(0)


@dataclass(frozen=True)
class Difference:
    """Something that does not agree: where (such as an invoice's number), and what, in a sentence."""

    where: str
    what: str


def record(
    *, clock: Callable[[], datetime], tell: Callable[[Difference], None] = lambda _difference: None
) -> Reconciliation:
    """Compares everything, and stores what was found: rolled-up usage, invoices and credit notes.

    ``clock``: answers now. ``tell`` is called with each difference. A comparison that breaks off is stored
    with its failure, which is raised again.
    """
    at = clock()
    row = Reconciliation.objects.create(started_at=at)
    try:
        for difference in itertools.chain(usage_buckets(at=at), invoices(at=at)):
            row.difference_count += 1
            if row.difference_count <= SHOWN_MAX:
                row.differences.append({"where": difference.where, "what": difference.what})
            tell(difference)
        row.ended_at = clock()
    except Exception as error:
        row.failure = f"{type(error).__name__}: {error}"
        raise
    finally:
        row.save()
    return row


def latest() -> Reconciliation | None:
    """The last comparison that came to its end or broke off, for whoever shows its alert."""
    return Reconciliation.objects.exclude(ended_at=None, failure="").order_by("-started_at").first()


def invoices(*, at: datetime) -> Iterator[Difference]:
    """Every disagreement of finalized invoices: with their stored evidence, their sums, and usage at ``at``.

    Usage of now is compared for periods whose invoice stands: what was invoiced and adjusted, adjustments
    that wait included, less what was given back of it, is what that usage costs.
    """
    for chunk in _chunks(ServicePeriod.objects.exclude(invoice__state=Invoice.State.DRAFT)):
        for service_period in chunk:
            yield from _against_evidence(service_period)
    standing_ones = ServicePeriod.objects.filter(part=ARREARS, sequence=1, is_void=False)
    for chunk in _chunks(standing_ones.exclude(invoice__state=Invoice.State.DRAFT)):
        yield from _against_usage(chunk, at)
    yield from _against_sums()


def _chunks(rows):  # type: ignore[no-untyped-def]  # a QuerySet of service periods, as lists
    found = rows.select_related("invoice", "subscription__customer").order_by("pk")
    found = found.prefetch_related("lines")
    chunk = list(found[:CHUNK])
    while chunk:
        yield chunk
        chunk = list(found.filter(pk__gt=chunk[-1].pk)[:CHUNK])


def _against_evidence(service_period: ServicePeriod) -> Iterator[Difference]:
    where = _where(service_period)
    packed = evidence.Packed(bytes(service_period.rating_input), service_period.rating_sha256)
    try:
        statement = evidence.rate(evidence.unpack(packed))
    except (evidence.EvidenceTampered, DocumentError) as error:
        yield Difference(where, f"its rating input cannot be rated again: {error}")
        return
    of_statement = lines.of if service_period.sequence == 1 else adjustments.of_statement
    again = [lines.content(row) for row in of_statement(statement)]
    stored = [lines.content(row) for row in sorted(service_period.lines.all(), key=lambda row: row.position)]
    for position in range(max(len(again), len(stored))):
        old, new = (each[position] if position < len(each) else {} for each in (stored, again))
        if old != new:
            changed = ", ".join(sorted(key for key in {**old, **new} if old.get(key) != new.get(key)))
            yield Difference(where, f"line {position + 1} differs from its rating input in {changed}")
    if (service_period.subtotal, service_period.total) != (statement.subtotal, statement.total):
        yield Difference(
            where, f"its total is {service_period.total}, its rating input gives {statement.total}"
        )


def _against_usage(rows: Sequence[ServicePeriod], at: datetime) -> Iterator[Difference]:
    """Compares invoiced pieces with their statements of now, all of them read together."""
    lives = timelines.of_many([row.subscription for row in rows])
    wants = [
        [Want(row.subscription, piece, ARREARS) for piece in lives[row.subscription_id].pieces(row.start_at)]
        for row in rows
    ]
    stands = standing.read(wants=[want for of_row in wants for want in of_row])
    compared = [
        next((want for want in of_row if want.piece.billed.start == row.start_at), None)
        for row, of_row in zip(rows, wants, strict=True)
    ]
    requests = [
        Request(
            want.subscription, want.piece, as_of=at, is_final=True, part=ARREARS, billed=stands.settled(want)
        )
        for want in compared
        if want is not None
    ]
    outcomes = iter(zip(requests, statements.of_many(requests), strict=True))
    for row, want in zip(rows, compared, strict=True):
        if want is None:
            yield Difference(
                _where(row), f"the subscription has no piece from {row.start_at:%Y-%m-%d} any more"
            )
        else:
            yield from _outcome(row, *next(outcomes))


def _outcome(row: ServicePeriod, request: Request, outcome: Rated | Exception) -> Iterator[Difference]:
    if isinstance(outcome, Exception):
        yield Difference(_where(row), f"its period cannot be rated today: {outcome}")
    elif outcome.statement.total:
        yield from _due(_where(row), outcome.statement, request.billed)


def _due(where: str, statement: Statement, billed: Sequence[Billed]) -> Iterator[Difference]:
    """The amounts that make up what is due more or less than was billed."""
    before = _sums(billed)
    with numbers.exact():
        for line in statement.lines:
            if line.amount:
                name = line.component or line.group or line.name
                yield _sentence(where, name, before.get(line.key, ZERO), line.amount)
        discounts = sum((each.amount for each in statement.discounts), ZERO)
        if discounts:
            taken = sum((each.amount for each in billed if each.kind == PLAN_DISCOUNT), ZERO)
            yield _sentence(where, "the discounts", taken, -discounts)


def _sums(billed: Sequence[Billed]) -> Mapping[tuple[object, ...], Decimal]:
    sums: dict[tuple[object, ...], Decimal] = {}
    with numbers.exact():
        for each in billed:
            key = each.component, each.group, tuple(sorted(each.dimensions.items())), each.kind
            sums[key] = sums.get(key, ZERO) + each.amount
    return sums


def _sentence(where: str, name: str, invoiced: Decimal, due: Decimal) -> Difference:
    word = "more is due" if due > 0 else "less is due"
    return Difference(
        where,
        f"{name}: invoiced {invoiced:f}, usage of today gives {invoiced + due:f}: {abs(due):f} {word}",
    )


def _against_sums() -> Iterator[Difference]:
    finalized = Invoice.objects.exclude(state=Invoice.State.DRAFT).order_by("pk")
    summed = finalized.annotate(
        subtotals=Sum("service_periods__subtotal"), totals=Sum("service_periods__total")
    )
    for invoice in summed.exclude(
        subtotal=F("subtotals"),
        total=F("totals") + F("tax_total"),
        discount_total=F("subtotals") - F("totals"),
    ).iterator(CHUNK):
        yield Difference(
            f"{invoice.number}",
            f"its total before tax is {invoice.total - invoice.tax_total:f}, its periods add up to "
            f"{invoice.totals or ZERO:f}",
        )
    for invoice in finalized.iterator(CHUNK):
        if sum((Decimal(each["amount"]) for each in invoice.taxes), ZERO) != invoice.tax_total:
            yield Difference(f"{invoice.number}", f"its taxes do not add up to {invoice.tax_total:f}")
    yield from _against_credit_notes()
    yield from _against_payments()


def _against_credit_notes() -> Iterator[Difference]:
    summed = CreditNote.objects.annotate(sum=Sum("lines__amount")).order_by("pk")
    for note in summed.iterator(CHUNK):
        if note.sum != note.subtotal:
            yield Difference(
                note.number, f"its subtotal is {note.subtotal:f}, its lines add up to {note.sum or 0:f}"
            )
        if sum((Decimal(each["amount"]) for each in note.taxes), ZERO) != note.tax_total:
            yield Difference(note.number, f"its taxes do not add up to {note.tax_total:f}")
    credited = Invoice.objects.annotate(given=Sum("credit_notes__total")).filter(given__gt=F("total"))
    for invoice in credited.order_by("pk").iterator(CHUNK):
        yield Difference(
            f"{invoice.number}",
            f"{invoice.given:f} was given back of it, more than its total {invoice.total:f}",
        )


def _against_payments() -> Iterator[Difference]:
    paid = Invoice.objects.filter(state=Invoice.State.PAID).order_by("pk")
    chunk = list(paid[:CHUNK])
    while chunk:
        found = paying.standings(invoices=chunk)
        for invoice in chunk:
            if not found[invoice.pk].is_settled:
                due = found[invoice.pk].due
                yield Difference(f"{invoice.number}", f"it counts as paid, but {due:f} are not covered")
        chunk = list(paid.filter(pk__gt=chunk[-1].pk)[:CHUNK])


def usage_buckets(*, at: datetime) -> Iterator[Difference]:
    """Every meter whose rolled-up usage is not what its events add up to. Opens transactions of its own."""
    for slug, version in sorted(usage.versions(at=at, is_archived_too=True).items()):
        comparison = rebuilding.differences(version=version)
        for each in comparison.shown:
            yield Difference(
                f"meter {slug}",
                f"{each.subject} {dict(each.dimensions)} at {format_instant(each.start)}: stored "
                f"{_quantity(each.stored)}, the events give {_quantity(each.counted)}",
            )
        hidden = comparison.buckets - len(comparison.shown)
        if hidden or comparison.intervals or comparison.values:
            yield Difference(
                f"meter {slug}",
                f"{hidden} more buckets, {comparison.intervals} intervals and {comparison.values} values "
                "differ from the events",
            )


def _quantity(bucket: tuple[Decimal, int] | None) -> str:
    return "nothing" if bucket is None else f"{bucket[0]:f} of {bucket[1]} events"


def _where(service_period: ServicePeriod) -> str:
    return f"{service_period.invoice.number} {service_period.subscription.key}"
