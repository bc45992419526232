"""Raw events counted by meters, as rows of usage: for quotes that bring events instead of usage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from billing.documents import matching
from billing.documents.nodes import PlanDocument
from billing.rating import takes
from billing.rating.inputs import UsageRow
from billing.rating.statement import Unbilled
from metering import measures
from metering.documents.errors import DocumentError, invalid
from metering.documents.meter import DURATION, RESERVED_DIMENSION, TIME_WEIGHTED, VOID_TYPE, MeterDefinition
from metering.measures import time_weighted
from metering.measures.events import Contribution, Event, Unusable
from metering.periods import Period


@dataclass(frozen=True, slots=True)
class Counted:
    """An event's contribution to a meter, with the event and its place in the request."""

    contribution: Contribution
    event: Event
    field: str


def rows_of(
    events: Sequence[Event],
    meters: Mapping[str, MeterDefinition],
    *,
    plan: PlanDocument,
    period: Period,
    as_of: datetime | None,
    reset_at: datetime,
) -> tuple[list[UsageRow], list[Unbilled]]:
    """The usage of the events in the period, and the events that a meter could not count.

    `reset_at`: the start of the whole billing period, where levels that are not carried over are 0.

    Raises DocumentError `unmeterable` for an event that no matching meter can use where one of them is
    strict, `period` for one outside the period that cannot matter in it, `unpriced` for one that no component
    takes of a meter that does not add up, `invalid` for two events of one source and id with different
    content.
    """
    counted: dict[str, list[Counted]] = {slug: [] for slug in meters}
    unbilled: list[Unbilled] = []
    for event, field in _in_force(events):
        unbilled += _count(event, field, meters, counted)
    rows: list[UsageRow] = []
    for slug, each in sorted(counted.items()):
        rows += _rows(meters[slug], each, plan, period, as_of, reset_at)
    return rows, unbilled


def _in_force(events: Sequence[Event]) -> Iterator[tuple[Event, str]]:
    """The events, each once, without those that a void takes back."""
    seen: dict[tuple[str, str], Event] = {}
    places: dict[tuple[str, str], str] = {}
    for place, event in enumerate(events):
        key = (event.source, event.id)
        if seen.setdefault(key, event) != event:
            raise invalid(
                f"another event of source {event.source} has the id {event.id}", f"events[{place}].id"
            )
        places.setdefault(key, f"events[{place}]")
    voided = {
        (event.data.get("source"), event.data.get("id")) for event in seen.values() if event.type == VOID_TYPE
    }
    for key, event in seen.items():
        if event.type != VOID_TYPE and key not in voided:
            yield event, places[key]


def _count(
    event: Event, field: str, meters: Mapping[str, MeterDefinition], counted: dict[str, list[Counted]]
) -> Iterator[Unbilled]:
    """Adds what the event contributes to each meter, and answers where it could not be counted."""
    matched = [definition for definition in meters.values() if measures.matching(definition, event)]
    found = [(definition, measures.usable(definition, event)) for definition in matched]
    unusable = [(definition, each) for definition, each in found if isinstance(each, Unusable)]
    if len(unusable) == len(matched) and any(definition.strict for definition in matched):
        reasons = "; ".join(f"{definition.slug}: {each.reason}" for definition, each in unusable)
        raise DocumentError("unmeterable", f"no meter can use the event: {reasons}", field)
    for definition, each in found:
        if isinstance(each, Contribution):
            counted[definition.slug].append(Counted(each, event, field))
    if not matched:
        yield Unbilled(
            "", Fraction(1), "event", {}, f"no meter counts the event {event.id} of type {event.type}"
        )
    for definition, each in unusable:
        yield Unbilled(definition.slug, Fraction(1), "event", {}, f"event {event.id}: {each.reason}")


def _rows(
    definition: MeterDefinition,
    counted: Sequence[Counted],
    plan: PlanDocument,
    period: Period,
    as_of: datetime | None,
    reset_at: datetime,
) -> Iterator[UsageRow]:
    _check_period(definition, counted, period, reset_at)
    if not definition.additive:
        yield from _measured(definition, counted, plan, period, as_of)
    elif definition.aggregation == TIME_WEIGHTED:
        contributions = [each.contribution for each in counted]
        for stretch in time_weighted.stretches(
            definition, contributions, period=period, as_of=as_of, reset_at=reset_at
        ):
            quantity = Fraction(stretch.level) * stretch.period.microseconds / definition.per_microseconds
            dimensions = {**dict(stretch.dimensions), RESERVED_DIMENSION: stretch.subject}
            yield UsageRow(
                definition.slug,
                quantity,
                stretch.period.start,
                stretch.period.end,
                dimensions,
                count=0,
                field="events",
            )
    else:
        for each in counted:
            yield from (
                _interval(definition, each, period)
                if definition.aggregation == DURATION
                else [_point(definition, each)]
            )


def _check_period(
    definition: MeterDefinition, counted: Sequence[Counted], period: Period, reset_at: datetime
) -> None:
    """An event outside the period counts nothing in it, except that the past matters where it is carried
    over, and of levels that of the billing period.
    """
    since = reset_at if definition.aggregation == TIME_WEIGHTED else period.start
    for each in counted:
        start, at = each.contribution.start, each.contribution.at
        is_outside = start >= period.end or (at < since and not definition.carry_over)
        if is_outside:
            raise DocumentError("period", "the event is outside the billed period", f"{each.field}.time")


def _point(definition: MeterDefinition, counted: Counted) -> UsageRow:
    contribution, event = counted.contribution, counted.event
    return UsageRow(
        meter=definition.slug,
        quantity=Fraction(contribution.value),
        at=contribution.at,
        dimensions=_dimensions(contribution),
        source=event.source,
        id=event.id,
        data=event.data,
        field=counted.field,
    )


def _interval(definition: MeterDefinition, counted: Counted, period: Period) -> Iterator[UsageRow]:
    """The interval inside the period, spread over its time, and the excess at its end."""
    contribution, per = counted.contribution, definition.per_microseconds
    dimensions = _dimensions(contribution)
    inside = Period(contribution.start, contribution.end).intersect(period)
    if inside is not None:
        quantity = Fraction(contribution.value) * inside.microseconds / per
        yield UsageRow(
            definition.slug, quantity, inside.start, inside.end, dimensions, count=0, field=counted.field
        )
    if period.contains(contribution.at):
        excess = Fraction(contribution.excess) / per
        yield UsageRow(definition.slug, excess, contribution.at, None, dimensions, field=counted.field)


def _dimensions(contribution: Contribution) -> dict[str, str]:
    return {**dict(contribution.dimensions), RESERVED_DIMENSION: contribution.subject}


def _measured(
    definition: MeterDefinition,
    counted: Sequence[Counted],
    plan: PlanDocument,
    period: Period,
    as_of: datetime | None,
) -> Iterator[UsageRow]:
    """A meter that does not add up: measured for each component over the events that it takes, never from
    smaller results.
    """
    components = [each for each in plan.all_components() if each.meter == definition.slug]
    for each in counted if components else ():
        if not any(
            matching.matches(component.where, _dimensions(each.contribution)) for component in components
        ):
            raise DocumentError(
                "unpriced", f"no component of {plan.code} prices {definition.slug}", each.field
            )
    if not components:
        contributions = [each.contribution for each in counted]
        for row in measures.rows(definition, contributions, period=period, as_of=as_of):
            yield UsageRow(definition.slug, row.quantity, field="events")
    for component in components:
        taken = [
            each.contribution
            for each in counted
            if matching.matches(component.where, _dimensions(each.contribution))
        ]
        for row in measures.rows(
            definition, taken, period=period, by=takes.told_apart(component), as_of=as_of
        ):
            yield UsageRow(
                definition.slug,
                row.quantity,
                dimensions=dict(row.dimensions),
                component=component.code,
                field="events",
            )
