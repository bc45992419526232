"""Which usage each component takes, cut at the instants at which its price can change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from billing.documents import matching
from billing.documents.nodes import DAY, HOUR, PERIOD, Component, PlanDocument
from billing.documents.prices import Dynamic, Matrix, Percentage, TimeOfUse
from billing.rating.frame import Frame, Span
from billing.rating.inputs import MeterFacts, UsageRow
from billing.rating.statement import Unbilled
from billing.rating.tracks import Track
from metering import periods
from metering.documents.errors import DocumentError, invalid
from metering.periods import QUARTER_HOUR, Period

Combination = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Take:
    """A piece of usage under one version, of one quarter hour (or of a whole span) and one combination of
    dimension values.
    """

    span: int
    at: datetime
    dimensions: Combination
    quantity: Fraction
    field: str


def needs_quarters(component: Component) -> bool:
    """Whether the component's usage must come by quarter hour: allowances by DAY or HOUR, and prices by
    time of use.
    """
    by_window = component.included is not None and component.included.every in (DAY, HOUR)
    return by_window or isinstance(component.price, TimeOfUse)


def needs_events(component: Component) -> bool:
    """Whether the component's usage must come as single events, with their data: percentage and dynamic."""
    return isinstance(component.price, Percentage | Dynamic)


def told_apart(component: Component) -> tuple[str, ...]:
    """The dimensions of which each combination is priced on its own: those of per and of a matrix's by,
    sorted.

    A meter that does not add up is measured for each of these combinations.
    """
    by = component.price.by if isinstance(component.price, Matrix) else ()
    return tuple(sorted({*component.per, *by}))


def dimension_names(component: Component) -> tuple[str, ...]:
    """The dimensions that the component tells apart, sorted: those of where, per and a matrix's by."""
    return tuple(sorted({*(name for name, _ in component.where), *told_apart(component)}))


def checked(rows: Sequence[UsageRow], frame: Frame) -> list[UsageRow]:
    """The rows with an instant each, in the order of events. Raises DocumentError for one outside the
    billed period.
    """
    placed = [_placed(row, row.field or f"usage[{number}]", frame) for number, row in enumerate(rows)]
    return sorted(placed, key=lambda row: (row.at, row.source, row.id))


def _placed(row: UsageRow, field: str, frame: Frame) -> UsageRow:
    at = row.at
    if at is None:
        if row.until is not None:
            raise invalid("until needs at", f"{field}.until")
        for component in (each for span in frame.spans for each in span.plan.all_components()):
            if component.meter == row.meter and needs_quarters(component):
                raise invalid(
                    f"the component {component.code} is priced by time: the row must say when", f"{field}.at"
                )
        at = frame.billed.start
    if not frame.billed.contains(at):
        raise DocumentError(
            "period", f"{periods.format_instant(at)} is outside the billed period", f"{field}.at"
        )
    if frame.is_paused(at, row.until):
        raise DocumentError("period", f"{periods.format_instant(at)} is in a pause", f"{field}.at")
    if row.until is not None:
        _check_until(at, row.until, frame, f"{field}.until")
    return replace(row, at=at, until=None if row.until == at else row.until, field=field)


def _check_until(at: datetime, until: datetime, frame: Frame, field: str) -> None:
    if until < at:
        raise invalid("until is before at", field)
    if until > frame.billed.end:
        raise DocumentError("period", f"{periods.format_instant(until)} is after the billed period", field)


def slices(row: UsageRow, within: Period, *, by_quarter: bool) -> Iterator[tuple[datetime, Fraction]]:
    """The row's quantity inside a period, as (instant, quantity): spread evenly where the row has an
    `until`.
    """
    assert row.at is not None  # checked() saw to it
    if row.until is None:
        if within.contains(row.at):
            yield (periods.quarter(row.at) if by_quarter else within.start), row.quantity
        return
    whole = Period(row.at, row.until)
    inside = whole.intersect(within)
    if inside is None:
        return
    if not by_quarter:
        yield within.start, row.quantity * inside.share_of(whole)
        return
    rate = row.quantity / whole.microseconds
    start = inside.start
    while start < inside.end:
        quarter = periods.quarter(start)
        end = min(quarter + QUARTER_HOUR, inside.end)
        yield quarter, rate * periods.microseconds_between(start, end)
        start = end


def check_taken(
    rows: Sequence[UsageRow], frame: Frame, meters: Mapping[str, MeterFacts]
) -> tuple[Unbilled, ...]:
    """The usage of meters that no component names. Raises DocumentError for usage of a priced meter that
    none takes.
    """
    unbilled: dict[tuple[str, Combination], Fraction] = {}
    plans = [(span, list(span.plan.all_components()), span.plan.meters()) for span in frame.spans]
    for row in rows:
        is_additive = facts_of(meters, row.meter).additive
        for span, components, named in plans if is_additive else plans[-1:]:
            whole = Period(frame.billed.start, frame.read_until)
            within = span.period.intersect(whole) if is_additive else whole
            for _, quantity in slices(row, within, by_quarter=False) if within else ():
                if row.meter not in named:
                    key = (row.meter, tuple(sorted(row.dimensions.items())))
                    unbilled[key] = unbilled.get(key, Fraction(0)) + quantity
                elif not any(takes_row(component, row) for component in components):
                    raise _unpriced(row, span.plan)
    return tuple(
        Unbilled(
            meter, quantity, facts_of(meters, meter).unit, dict(dimensions), "no component names the meter"
        )
        for (meter, dimensions), quantity in sorted(unbilled.items())
    )


def _unpriced(row: UsageRow, plan: PlanDocument) -> DocumentError:
    values = ", ".join(f"{name}={value}" for name, value in sorted(row.dimensions.items()))
    return DocumentError(
        "unpriced",
        f"no component of {plan.code} prices {row.meter}{f' with {values}' if values else ''}",
        row.field,
    )


def facts_of(meters: Mapping[str, MeterFacts], slug: str) -> MeterFacts:
    """The facts of a meter; those of an unknown one are the defaults."""
    return meters.get(slug) or MeterFacts(slug)


def takes_row(component: Component, row: UsageRow) -> bool:
    """Whether the component prices the row."""
    if row.component:
        return component.code == row.component
    return component.meter == row.meter and matching.matches(component.where, row.dimensions)


def values_of(row: UsageRow, names: Sequence[str]) -> Combination:
    """The row's values of the dimensions; one that it does not have is ""."""
    return tuple((name, row.dimensions.get(name, "")) for name in names)


def of_track(
    track: Track, rows: Sequence[UsageRow], frame: Frame, facts: MeterFacts
) -> dict[Combination, list[Take]]:
    """What the track takes by combination of `per`, sorted; of each the pieces in the order in which free
    units are used.
    """
    if not facts.additive:
        return _whole(track, rows)
    sums: dict[Combination, dict[tuple[int, datetime, Combination], Fraction]] = {}
    fields: dict[tuple[int, datetime, Combination], str] = {}
    by_quarter = any(orders_quarters(component) for _, component in track.members)
    for span, component in track.members:
        within = span.period.intersect(Period(frame.billed.start, max(frame.read_until, frame.billed.start)))
        names, per = dimension_names(component), sorted(component.per)
        for row in rows if within else ():
            if not takes_row(component, row):
                continue
            pieces = sums.setdefault(values_of(row, per), {})
            dimensions = values_of(row, names)
            for at, quantity in slices(row, within, by_quarter=by_quarter):  # type: ignore[arg-type]
                key = (span.place, at, dimensions)
                pieces[key] = pieces[key] + quantity if key in pieces else quantity
                fields.setdefault(key, row.field)
    return {
        combination: [Take(*key, quantity, fields[key]) for key, quantity in sorted(pieces.items())]
        for combination, pieces in sorted(sums.items())
        if pieces
    }


def orders_quarters(component: Component) -> bool:
    """Whether it matters in which quarter hour usage falls: where free units go to the first of
    differently priced ones.
    """
    is_ordered = component.included is not None and component.included.every == PERIOD
    return needs_quarters(component) or (is_ordered and isinstance(component.price, Matrix))


def _whole(track: Track, rows: Sequence[UsageRow]) -> dict[Combination, list[Take]]:
    """The pieces of a meter that does not add up: every version prices the quantity of the whole period."""
    taken: dict[Combination, list[Take]] = {}
    for span, component in track.members:
        seen: set[Combination] = set()
        names = dimension_names(component)
        for row in rows:
            if not takes_row(component, row):
                continue
            combination = values_of(row, told_apart(component))
            if combination in seen:
                raise invalid(
                    f"{row.meter} does not add up: two rows of one combination of dimensions", row.field
                )
            seen.add(combination)
            take = Take(span.place, span.period.start, values_of(row, names), row.quantity, row.field)
            taken.setdefault(values_of(row, sorted(component.per)), []).append(take)
    return {
        combination: sorted(takes, key=lambda take: (take.span, take.dimensions))
        for combination, takes in sorted(taken.items())
    }


def events_of(
    track: Track, rows: Sequence[UsageRow], frame: Frame
) -> dict[Combination, list[tuple[Span, UsageRow]]]:
    """The single events that the track takes, by combination of `per`, in the order of events.

    Raises DocumentError for a row that stands for none or several events, or for a stretch of time.
    """
    taken: dict[Combination, list[tuple[Span, UsageRow]]] = {}
    for row in rows:
        assert row.at is not None  # checked() saw to it
        if row.at >= frame.read_until:
            continue
        for span, component in track.members:
            if not span.period.contains(row.at) or not takes_row(component, row):
                continue
            if row.count != 1 or row.until is not None:
                raise invalid(
                    f"{component.price.model} prices single events: a row has count 1 and no until",
                    f"{row.field}.count",
                )
            taken.setdefault(values_of(row, sorted(component.per)), []).append((span, row))
    return dict(sorted(taken.items()))
