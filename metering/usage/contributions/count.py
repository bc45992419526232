"""COUNT: each event is one."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import points
from metering.usage.contributions.fragments import Fragment
from metering.usage.contributions.points import buckets, clipped

__all__ = ["KEEPS_INTERVALS", "buckets", "clipped", "contributions"]

KEEPS_INTERVALS = False


def contributions(definition: MeterDefinition, events: Fragment) -> Fragment:
    """One for each event, at its time."""
    return points.read(definition, events, quantity=Fragment("1::numeric"), refused=[])
