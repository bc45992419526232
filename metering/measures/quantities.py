"""The quantities of a meter over a period, straight from events: what every other way of counting must
equal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from types import ModuleType
from typing import Any

from metering.documents.meter import (
    AVERAGE,
    COUNT,
    DURATION,
    LATEST,
    MAX,
    MIN,
    RESERVED_DIMENSION,
    SUM,
    TIME_WEIGHTED,
    UNIQUE,
    MeterDefinition,
)
from metering.measures import average, count, duration, latest, max, min, sum, time_weighted, unique
from metering.measures.events import Contribution
from metering.measures.tally import Tally
from metering.periods import Period

MEASURES: dict[str, ModuleType] = {
    COUNT: count,
    SUM: sum,
    MAX: max,
    MIN: min,
    AVERAGE: average,
    LATEST: latest,
    UNIQUE: unique,
    DURATION: duration,
    TIME_WEIGHTED: time_weighted,
}
Combination = tuple[tuple[str, str], ...]
BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True)
class Row:
    """The quantity of one combination of dimension values, in the unit that is kept. `count`: events in
    it, where they add up.
    """

    dimensions: Combination
    quantity: Fraction
    count: int


def rows(
    definition: MeterDefinition,
    contributions: Iterable[Contribution],
    *,
    period: Period,
    by: tuple[str, ...] = (),
    as_of: datetime | None = None,
    reset_at: datetime | None = None,
) -> list[Row]:
    """One row for each combination of the dimensions `by` that has usage in the period, sorted by its values.

    `by` may name `subject`. Events may come in any order. Those before the period matter for meters with
    `carry_over`: give all of them, for UNIQUE those since the subscription's start. No event and nothing
    carried over means no row. Usage is read to `as_of` at most.
    `reset_at`: the start of the billing period, where levels without `carry_over` are 0; by default that of
    the period.
    """
    if as_of is not None and as_of < period.end:
        period = Period(period.start, as_of) if as_of > period.start else Period(period.start, period.start)
    reset_at = period.start if reset_at is None else reset_at
    measure = MEASURES[definition.aggregation]
    merged: dict[Combination, Any] = {}
    for combination, partial in _partials(definition, measure, contributions, period, by, reset_at):
        known = merged.get(combination)
        merged[combination] = partial if known is None else measure.merge(known, partial)
    return [
        Row(combination, measure.value(partial), partial.count if isinstance(partial, Tally) else 0)
        for combination, partial in sorted(merged.items())
    ]


def _partials(
    definition: MeterDefinition,
    measure: ModuleType,
    contributions: Iterable[Contribution],
    period: Period,
    by: tuple[str, ...],
    reset_at: datetime,
) -> Iterator[tuple[Combination, Any]]:
    each: Any
    if definition.aggregation == TIME_WEIGHTED:
        contributions = time_weighted.stretches(  # type: ignore[assignment]
            definition, contributions, period=period, reset_at=reset_at
        )
    elif definition.carry_over:
        contributions = _carried(definition, list(contributions), period, by)
        period = Period(BEGINNING, period.end)
    for each in contributions:
        partial = measure.partial(each, period)
        if partial is not None:
            yield combination_of(each, by), partial


def _carried(
    definition: MeterDefinition, contributions: list[Contribution], period: Period, by: tuple[str, ...]
) -> list[Contribution]:
    """The events that count in the period: for UNIQUE all earlier ones too, for MAX and LATEST the last
    before it.

    Of LATEST the last one before is beaten by any inside, being earlier.
    """
    if definition.aggregation == UNIQUE:
        return contributions
    inside = [each for each in contributions if each.at >= period.start]
    before: dict[Combination, Contribution] = {}
    for each in sorted(contributions, key=lambda each: each.order):
        if each.at < period.start:
            before[combination_of(each, by)] = each
    return [*before.values(), *inside]


def combination_of(usage: Any, by: tuple[str, ...]) -> Combination:
    """The values that a contribution or a stretch has for the dimensions `by`, sorted by name; unknown
    ones are "".
    """
    values = dict(usage.dimensions) | {RESERVED_DIMENSION: usage.subject}
    return tuple((name, values.get(name, "")) for name in sorted(by))
