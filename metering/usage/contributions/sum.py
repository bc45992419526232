"""SUM: the values of the events, each at least the minimum and rounded up to whole increments."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import added, points, values
from metering.usage.contributions.fragments import Fragment, sql
from metering.usage.contributions.points import Points


def raised(definition: MeterDefinition, value: Fragment) -> Fragment:
    """The value of an event, at least the minimum and in whole increments."""
    if not _raises(definition):
        return value
    return sql(
        "metering_slots({value}, {minimum}::numeric, {increment}::numeric)",
        value=value,
        minimum=definition.minimum,
        increment=definition.increment,
    )


def refused(definition: MeterDefinition, value: Fragment) -> list[Fragment]:
    """The reasons for which an event has no value that can be raised."""
    reasons = points.unread(definition, value)
    if _raises(definition):
        negative = "the value is negative, and the meter has a minimum or an increment"
        reasons.append(values.when(sql("{value} < 0", value=value), negative))
    return reasons


def _raises(definition: MeterDefinition) -> bool:
    return definition.minimum is not None or definition.increment is not None


KIND = Points(
    gathered=added.GATHERED, merged=added.MERGED, answer=added.answer, quantity=raised, refused=refused
)
