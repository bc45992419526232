"""SUM: the values of the events, each at least the minimum and rounded up to whole increments."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import points, values
from metering.usage.contributions.fragments import Fragment, sql
from metering.usage.contributions.points import buckets, clipped

__all__ = ["KEEPS_INTERVALS", "buckets", "clipped", "contributions"]

KEEPS_INTERVALS = False


def contributions(definition: MeterDefinition, events: Fragment) -> Fragment:
    """The value of each event, at its time."""
    refused = list(values.refused_operands(definition))
    if definition.minimum is None and definition.increment is None:
        return points.read(definition, events, quantity=Fragment("e.value"), refused=refused)
    negative = "the value is negative, and the meter has a minimum or an increment"
    refused.append(values.when(Fragment("e.value < 0"), negative))
    raised = sql(
        "metering_slots(e.value, {minimum}::numeric, {increment}::numeric)",
        minimum=definition.minimum,
        increment=definition.increment,
    )
    return points.read(definition, events, quantity=raised, refused=refused)
