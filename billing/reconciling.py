"""Answers whether what was billed is still true: against its own evidence, and against usage as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Sum

from billing import evidence, statements
from billing.invoicing import lines
from billing.models import Invoice, InvoiceLine, ServicePeriod
from metering import numbers, usage
from metering.documents import DocumentError
from metering.periods import format_instant
from metering.rolling import rebuilding

CHUNK = 100
ZERO = Decimal(0)


@dataclass(frozen=True)
class Difference:
    """Something that does not agree: where (such as an invoice's number), and what, in a sentence."""

    where: str
    what: str


def invoices(*, at: datetime) -> Iterator[Difference]:
    """Every disagreement of finalized invoices: with their stored evidence, and with usage as of ``at``.

    What usage says now is compared only for invoices that are not void: the difference is still due, or too
    much.
    """
    finalized = ServicePeriod.objects.exclude(invoice__state=Invoice.State.DRAFT).order_by("pk")
    rows = finalized.select_related("invoice", "subscription__customer").prefetch_related("lines")
    for service_period in rows.iterator(chunk_size=CHUNK):
        yield from _against_evidence(service_period)
        if not service_period.is_void:
            yield from _against_usage(service_period, at)
    yield from _against_sums()


def _against_evidence(service_period: ServicePeriod) -> Iterator[Difference]:
    where = _where(service_period)
    packed = evidence.Packed(bytes(service_period.rating_input), service_period.rating_sha256)
    try:
        statement = evidence.rate(evidence.unpack(packed))
    except (evidence.EvidenceTampered, DocumentError) as error:
        yield Difference(where, f"its rating input cannot be rated again: {error}")
        return
    again = [lines.content(row) for row in lines.of(statement)]
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


def _against_usage(service_period: ServicePeriod, at: datetime) -> Iterator[Difference]:
    where, subscription = _where(service_period), service_period.subscription
    try:
        piece = statements.piece_holding(subscription=subscription, at=service_period.start_at)
        statement = statements.of(subscription=subscription, piece=piece, as_of=at, is_final=True).statement
    except statements.REFUSALS as error:
        yield Difference(where, f"its period cannot be rated today: {error}")
        return
    invoiced, now = _by_key(service_period.lines.all()), _by_key(lines.of(statement))
    for key in sorted({**invoiced, **now}):
        yield from _due(where, key[0], invoiced.get(key, ZERO), now.get(key, ZERO))
    discounts = sum((Decimal(each["amount"]) for each in service_period.discounts), ZERO)
    yield from _due(
        where, "the discounts", -discounts, -sum((each.amount for each in statement.discounts), ZERO)
    )


def _by_key(rows: Iterable[InvoiceLine]) -> Mapping[tuple[str, ...], Decimal]:
    return {
        (
            row.component or row.group or row.name,
            row.kind,
            row.group or "",
            evidence.canonical(row.dimensions).decode(),
        ): row.amount
        for row in rows
    }


def _due(where: str, name: str, invoiced: Decimal, now: Decimal) -> Iterator[Difference]:
    with numbers.exact():
        due = now - invoiced
    if due:
        word = "more is due" if due > 0 else "less is due"
        yield Difference(
            where, f"{name}: invoiced {invoiced:f}, usage of today gives {now:f}: {abs(due):f} {word}"
        )


def _against_sums() -> Iterator[Difference]:
    finalized = Invoice.objects.exclude(state=Invoice.State.DRAFT)
    summed = finalized.annotate(
        subtotals=Sum("service_periods__subtotal"), totals=Sum("service_periods__total")
    )
    for invoice in summed.exclude(subtotal=F("subtotals"), total=F("totals")).order_by("pk").iterator(CHUNK):
        yield Difference(
            f"{invoice.number}",
            f"its total is {invoice.total:f}, its periods add up to {invoice.totals or ZERO:f}",
        )


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
