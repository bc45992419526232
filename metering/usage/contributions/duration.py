"""DURATION: the time between two instants in the data, times a value."""

from __future__ import annotations

from dataclasses import dataclass

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import added, intervals
from metering.usage.contributions.cuts import Cut
from metering.usage.contributions.fragments import Fragment


@dataclass(frozen=True, slots=True)
class Intervals:
    """The aggregation of intervals, see `Kind`."""

    merged: str = added.MERGED
    keeps_intervals: bool = True
    keeps_values: bool = False

    def keeps_latest(self, definition: MeterDefinition) -> bool:
        return False

    def answer(self, definition: MeterDefinition) -> str:
        return added.answer(definition)

    def contributions(self, definition: MeterDefinition, events: Fragment) -> Fragment:
        """The interval of each event with its weight, and what `minimum` and `increment` add."""
        return intervals.read(definition, events)

    def buckets(self, contributed: Fragment) -> Fragment:
        return intervals.buckets(contributed)

    def clipped(self, contributed: Fragment, stretches: Fragment, by: Fragment, cut: Cut) -> Fragment:
        return intervals.clipped(contributed, stretches, by, cut)

    def in_buckets(self, definition: MeterDefinition) -> Fragment:
        """Of the rows of buckets: their columns together."""
        return Fragment(
            "sum(quantity) as quantity, sum(count)::bigint as count, null::metering_moment as latest"
        )


KIND = Intervals()
