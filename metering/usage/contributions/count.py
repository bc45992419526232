"""COUNT: each event is one."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import added
from metering.usage.contributions.fragments import Fragment
from metering.usage.contributions.points import Points


def one(definition: MeterDefinition, value: Fragment) -> Fragment:
    """What an event counts as."""
    return Fragment("1::numeric")


def nothing(definition: MeterDefinition, value: Fragment) -> list[Fragment]:
    """No reason not to count an event."""
    return []


KIND = Points(
    gathered=added.GATHERED, merged=added.MERGED, answer=added.answer, quantity=one, refused=nothing
)
