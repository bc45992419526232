"""What invoices of past months would have been under other plans. Nothing is written.

Each invoice is first computed again from its stored evidence; only one that comes out exactly as it was
issued says something about the difference. The new plan is rated with the same stored usage, and live usage
is read only for a meter, or a dimension of it, that the invoice did not need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing import evidence, market, rating, statements
from billing.advising import past
from billing.documents import currencies, plan_checks
from billing.documents import plan as plans
from billing.documents.nodes import Component, PlanDocument
from billing.documents.prices import Matrix
from billing.invoicing import lines
from billing.models import Invoice, ServicePeriod
from billing.rating import Billed, MeterFacts, Statement
from metering import numbers, periods
from metering import usage as usage_door
from metering.documents import DocumentError
from metering.documents import meter as meters
from metering.documents.errors import invalid
from metering.periods import Period

ADJUSTMENT = "adjustment"
ZERO = Decimal(0)


@dataclass(frozen=True)
class Question:
    """Which invoices are asked about: of service periods that began in ``period``, of all or one customer.

    ``documents``: plans by their codes; each takes the place of the plan of its code. With ``is_move`` the
    only one takes the place of every plan, and subscriptions' overrides are left out.
    """

    documents: Sequence[Any]
    period: Period
    customer: str | None = None
    is_move: bool = False


@dataclass(frozen=True)
class Difference:
    """One subscription's service period: what was invoiced, before tax, and what it would have been.

    ``new`` and ``difference`` are None where the plan cannot price the usage; ``note`` says why, and whatever
    else there is to say. ``read_anew``: meters whose usage was not on the invoice and was read as it is now.
    ``components``: (code, old, new) of the amounts that differ, lines of a component added up.
    """

    customer: str
    subscription: str
    invoices: tuple[str, ...]
    period: Period
    plan: str
    currency: str
    old: Decimal
    new: Decimal | None
    is_reproduced: bool
    note: str = ""
    read_anew: tuple[str, ...] = ()
    components: tuple[tuple[str, Decimal, Decimal], ...] = field(default=())

    @property
    def difference(self) -> Decimal | None:
        """What would have been due more; negative: less."""
        if self.new is None:
            return None
        with numbers.exact():
            return self.new - self.old


@dataclass(frozen=True)
class _Draft:
    """A plan of the question, parsed, with market prices fixed."""

    plan: PlanDocument


@dataclass(frozen=True)
class Step:
    """How far a comparison is: ``done`` of ``total`` service periods.

    ``difference``: of the last one, None where none of its plans is asked about.
    """

    done: int
    total: int
    difference: Difference | None


def compare(question: Question, *, skipped: int = 0) -> Iterator[Step]:
    """The difference of each service period, by customer, subscription and time.

    Whoever has seen enough stops asking; ``skipped`` goes on behind so many. Raises DocumentError for a plan
    that is none, or that asks of a meter what it cannot give.
    """
    drafts = _drafts(question)
    groups = _groups(question, drafts)
    for done, rows in enumerate(groups[skipped:], start=skipped + 1):
        yield Step(done, len(groups), _compared(rows, drafts, question.is_move))


def _drafts(question: Question) -> dict[str, _Draft]:
    if question.is_move and len(question.documents) != 1:
        raise invalid("a move needs exactly one plan", "plans")
    drafts: dict[str, _Draft] = {}
    at = question.period.end
    for place, document in enumerate(question.documents):
        path = f"plans[{place}]"
        parsed = plans.parse(document, path)
        if parsed.code in drafts:
            raise invalid(f"{parsed.code} is given twice", f"{path}.code")
        found = usage_door.versions(at=at, slugs=parsed.meters(), is_archived_too=True)
        definitions = {slug: usage_door.definition(version) for slug, version in found.items()}
        plan_checks.check_meters(parsed, definitions, path)
        drafts[parsed.code] = _Draft(market.resolve(parsed, definitions, at, path))
    return drafts


def _groups(question: Question, drafts: Mapping[str, _Draft]) -> list[list[int]]:
    """The ids of the issued rows of each subscription's service period."""
    rows = ServicePeriod.objects.filter(
        is_void=False, start_at__gte=question.period.start, start_at__lt=question.period.end
    ).exclude(invoice__state__in=[Invoice.State.DRAFT, Invoice.State.VOID])
    if question.customer is not None:
        rows = rows.filter(subscription__customer__key=question.customer)
    if not question.is_move:
        rows = rows.filter(subscription__phases__plan__code__in=list(drafts)).distinct()
    groups: dict[tuple[str, str, Any], list[int]] = {}
    for key in rows.values_list("subscription__customer__key", "subscription__key", "start_at", "pk"):
        groups.setdefault(key[:3], []).append(key[3])
    return [groups[key] for key in sorted(groups)]


def _compared(ids: Sequence[int], drafts: Mapping[str, _Draft], is_move: bool) -> Difference | None:
    """The difference of a service period; None where none of its plans is asked about."""
    rows = list(
        ServicePeriod.objects.filter(pk__in=ids)
        .select_related("invoice", "subscription__customer")
        .prefetch_related("lines")
        .order_by("part", "sequence")
    )
    try:
        inputs = [evidence.unpack(evidence.Packed(bytes(r.rating_input), r.rating_sha256)) for r in rows]
    except evidence.EvidenceTampered as error:
        return _told(rows, "", None, note=str(error))
    base = inputs[-1]
    code = base["segments"][-1]["plan"]
    draft = next(iter(drafts.values())) if is_move else drafts.get(code)
    if draft is None:
        return None
    faults = [
        fault for row, each in zip(rows, inputs, strict=True) if (fault := _fault(row, each)) is not None
    ]
    try:
        rated_input, read_anew = _input(base, draft.plan, rows[0].subscription.customer_id, is_move)
        statement = _rated(rated_input, draft.plan, is_move)
    except (DocumentError, statements.StatementRefused) as error:
        return _told(rows, code, None, faults=faults, note=str(error))
    if statement.currency != rows[0].invoice.currency:
        note = f"the plan is in {statement.currency}, the invoice in {rows[0].invoice.currency}"
        return _told(rows, code, None, faults=faults, note=note)
    return _told(rows, code, statement, faults=faults, note=_versions_note(base), read_anew=read_anew)


def _versions_note(base: Mapping[str, Any]) -> str:
    """Says so where the plan changed inside the period, which a draft that holds all the time does not."""
    versions = dict.fromkeys(f"{each['plan']} v{each['version']}" for each in base["segments"])
    return f"the period was on {' and '.join(versions)}" if len(versions) > 1 else ""


def _fault(row: ServicePeriod, rating_input: Mapping[str, Any]) -> str | None:
    """Why an issued invoice does not come out of its evidence again, or None where it does."""
    try:
        again = evidence.rate(rating_input)
    except DocumentError as error:
        return f"{row.invoice}: {error}"
    stored = sorted(row.lines.all(), key=lambda each: each.position)
    # An adjustment holds differences of lines, and not the lines themselves.
    is_whole = all(each.kind != ADJUSTMENT for each in stored)
    is_same = not is_whole or list(map(lines.content, stored)) == list(map(lines.content, lines.of(again)))
    if row.total == again.total and is_same:
        return None
    return f"{row.invoice} is {row.total:f}, its evidence gives {again.total:f}"


def _input(
    base: Mapping[str, Any], plan: PlanDocument, customer_id: int, is_move: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The rating input for the plan, and the meters whose usage was read anew for it."""
    anew = [slug for slug in sorted(plan.meters()) if not _covers(base, plan, slug, is_move)]
    kept = [row for row in base["usage"] if row["meter"] not in anew]
    if not anew:
        return {**base, "usage": kept}, ()
    billed = evidence.read_period(base["billed_period"])
    found = past.rows(
        plan=plan,
        spans=_spans(base, customer_id, billed),
        period=billed,
        as_of=periods.parse_instant(base["as_of"]),
        meters=frozenset(anew),
    )
    return {**base, "usage": [*kept, *found]}, tuple(anew)


def _covers(base: Mapping[str, Any], plan: PlanDocument, slug: str, is_move: bool) -> bool:
    """Whether the usage of a meter on the invoice is split at least as finely as the plan needs it."""
    if slug not in {meter["slug"] for meter in base["meters"]}:
        return False
    wanted = _needs(plan, slug)
    for segment in base["segments"]:
        had = _needs(plans.parse(segment["document"]), slug)
        if _is_apart(base, slug) and had != wanted:
            return False
        if (wanted.by_quarter and not had.by_quarter) or not wanted.names <= had.names:
            return False
    return True


def _is_apart(base: Mapping[str, Any], slug: str) -> bool:
    """Whether the meter does not add up: rows of finer combinations give no coarser ones."""
    definition = next(meter for meter in base["meters"] if meter["slug"] == slug)["document"]
    return definition["aggregation"] in ("MAX", "MIN", "AVERAGE", "LATEST", "UNIQUE")


@dataclass(frozen=True)
class _Needs:
    """How finely a plan needs the usage of a meter; ``apart`` says so for meters that do not add up."""

    names: frozenset[str]
    by_quarter: bool
    apart: tuple[tuple[str, tuple[str, ...]], ...]


def _needs(plan: PlanDocument, slug: str) -> _Needs:
    components = [each for each in plan.all_components() if each.meter == slug]
    return _Needs(
        names=frozenset().union(*(rating.dimension_names(each) for each in components)),
        by_quarter=any(rating.needs_quarters(each) or _orders_free_units(each) for each in components),
        apart=tuple((each.code, rating.dimension_names(each)) for each in components),
    )


def _orders_free_units(component: Component) -> bool:
    return component.included is not None and isinstance(component.price, Matrix)


def _spans(base: Mapping[str, Any], customer_id: int, billed: Period) -> list[past.Span]:
    """Whose usage the invoice charged, of any meter; without a meter on it all that the customer pays for."""
    written = {
        (each["subject"], evidence.read_period(each)) for spans in base["spans"].values() for each in spans
    }
    if written:
        return sorted(written, key=lambda span: (span[0], span[1].start))
    return past.spans(customer_id=customer_id, period=billed)


def _rated(base: Mapping[str, Any], plan: PlanDocument, is_move: bool) -> Statement:
    """The statement of the period under the plan, by the one rating function."""
    first, last = base["segments"][0], base["segments"][-1]
    overridden = plan if is_move else plans.apply_overrides(plan, last["overrides"])
    pauses = [evidence.read_period(each) for each in base.get("pauses", ())]
    ends = _around(Period(_start(first), _end(last)), pauses)
    billed = evidence.read_period(base["billed_period"])
    return rating.rate(
        segments=[rating.Segment(overridden, each.start, each.end) for each in ends],
        period=evidence.read_period(base["period"]),
        billed_period=billed,
        usage=[past.usage_row(each) for each in base["usage"] if each["meter"] in plan.meters()],
        meters=_facts(base, plan),
        timezone=base["timezone"],
        billed=[Billed(**{**each, "amount": Decimal(each["amount"])}) for each in base["billed"]],
        as_of=periods.parse_instant(base["as_of"]),
        is_final=base["is_final"],
        pauses=pauses,
        is_trial=base.get("is_trial", False),
        part=base.get("part"),
    )


def _facts(base: Mapping[str, Any], plan: PlanDocument) -> dict[str, MeterFacts]:
    """The meters as they were for the invoice, and those that it did not need as they are."""
    known = {each["slug"]: meters.parse(each["document"]) for each in base["meters"]}
    found = usage_door.versions(
        at=periods.parse_instant(base["as_of"]),
        slugs=plan.meters() - known.keys(),
        is_archived_too=True,
    )
    definitions = {slug: usage_door.definition(version) for slug, version in found.items()} | known
    return {slug: MeterFacts.of(each) for slug, each in definitions.items()}


def _start(segment: Mapping[str, Any]) -> Any:
    return periods.parse_instant(segment["start"])


def _end(segment: Mapping[str, Any]) -> Any:
    return periods.parse_instant(segment["end"])


def _around(whole: Period, pauses: Sequence[Period]) -> Iterator[Period]:
    """The parts of a period outside its pauses."""
    start = whole.start
    for pause in sorted(pauses, key=lambda each: each.start):
        if start < pause.start:
            yield Period(start, pause.start)
        start = max(start, pause.end)
    if start < whole.end:
        yield Period(start, whole.end)


def _told(
    rows: Sequence[ServicePeriod],
    code: str,
    statement: Statement | None,
    *,
    faults: Sequence[str] = (),
    note: str = "",
    read_anew: tuple[str, ...] = (),
) -> Difference:
    with numbers.exact():
        old = sum((row.total for row in rows), ZERO)
        # The last row settles what the others billed before: only it would have been another.
        new = None if statement is None else old - rows[-1].total + statement.total
    subscription = rows[0].subscription
    return Difference(
        customer=subscription.customer.key,
        subscription=subscription.key,
        invoices=tuple(dict.fromkeys(row.invoice.number or "" for row in rows)),
        period=Period(min(row.start_at for row in rows), max(row.end_at for row in rows)),
        plan=code,
        currency=rows[0].invoice.currency,
        old=old,
        new=new,
        is_reproduced=not faults and bool(code),
        note="; ".join([*faults, *([note] if note else [])]),
        read_anew=read_anew,
        components=() if statement is None else _components(rows, statement),
    )


def _components(
    rows: Sequence[ServicePeriod], statement: Statement
) -> tuple[tuple[str, Decimal, Decimal], ...]:
    old: dict[str, Fraction] = {}
    new: dict[str, Fraction] = {}
    for row in rows:
        for line in row.lines.all():
            name = line.component or line.group or line.kind
            old[name] = old.get(name, Fraction(0)) + Fraction(line.amount)
        if row != rows[-1]:
            new = dict(old)
    for each in statement.lines:
        name = each.component or each.group or each.kind
        new[name] = new.get(name, Fraction(0)) + Fraction(each.amount)
    digits = currencies.digits(statement.currency)
    names = {name: (old.get(name, Fraction(0)), new.get(name, Fraction(0))) for name in [*new, *old]}
    return tuple(
        (name, numbers.round_half_up(before, digits), numbers.round_half_up(after, digits))
        for name, (before, after) in names.items()
        if before != after
    )
