"""DURATION: the time between two instants in the data, times a value."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import intervals
from metering.usage.contributions.fragments import Fragment
from metering.usage.contributions.intervals import buckets, clipped

__all__ = ["KEEPS_INTERVALS", "buckets", "clipped", "contributions"]

KEEPS_INTERVALS = True


def contributions(definition: MeterDefinition, events: Fragment) -> Fragment:
    """The interval of each event with its weight, and what `minimum` and `increment` add."""
    return intervals.read(definition, events)
