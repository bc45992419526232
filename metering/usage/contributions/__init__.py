"""SQL of what events contribute to a meter: one file an aggregation, all of one shape.

The roll-up, the builder of new meters and the usage door read events through these, so that an event counts
the same wherever it is met. `metering.measures` says the same in Python, and tests hold the two equal.

Each file has ``contributions(definition, events)``, one row for each event that the meter matches, with the
reason where it cannot use it; ``buckets(contributed)``, these added up by quarter hour;
``clipped(contributed, stretches, by)``, what falls into stretches of time; and ``KEEPS_INTERVALS``, whether a
contribution can lie in several quarter hours, so that its ends are kept for periods that cut through one.
"""

from __future__ import annotations

from typing import Protocol

from metering.documents.meter import COUNT, DURATION, SUM, MeterDefinition
from metering.usage.contributions import count, duration, sum
from metering.usage.contributions.fragments import Fragment


class Kind(Protocol):
    """The shape of the file of an aggregation."""

    KEEPS_INTERVALS: bool

    def contributions(self, definition: MeterDefinition, events: Fragment) -> Fragment: ...

    def buckets(self, contributed: Fragment) -> Fragment: ...

    def clipped(self, contributed: Fragment, stretches: Fragment, by: Fragment) -> Fragment: ...


KINDS: dict[str, Kind] = {COUNT: count, SUM: sum, DURATION: duration}


class AggregationNotBuilt(Exception):
    """A meter's aggregation that documents may name and that is not counted yet."""


def kind(aggregation: str) -> Kind:
    """The file of an aggregation. Raises AggregationNotBuilt."""
    if aggregation not in KINDS:
        raise AggregationNotBuilt(f"aggregation {aggregation} is not built yet")
    return KINDS[aggregation]
