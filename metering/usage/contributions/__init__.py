"""SQL of what events contribute to a meter: one file an aggregation, all of one shape.

The roll-up, the builder of new meters and the usage door read events through these, so that an event counts
the same wherever it is met. `metering.measures` says the same in Python, and tests hold the two equal.

Each file has a ``KIND``, see `Kind`; those that count single events are all `points.Points`.
"""

from __future__ import annotations

from typing import Protocol

from metering.documents.meter import (
    AVERAGE,
    COUNT,
    DURATION,
    LATEST,
    MAX,
    MIN,
    SUM,
    UNIQUE,
    MeterDefinition,
)
from metering.usage.contributions import average, count, duration, latest, max, min, sum, unique
from metering.usage.contributions.cuts import Cut
from metering.usage.contributions.fragments import Fragment


class Kind(Protocol):
    """The shape of an aggregation.

    ``contributions(definition, events)``: one row for each event that the meter matches, with the reason
    where it cannot use it. ``clipped(contributed, stretches, by, cut)``: what of these falls into stretches
    of time, and into which windows. ``in_buckets(definition)``: several buckets together.
    ``answer(definition)``: the quantity of all that. ``merged``: what is stored and what is new, as one.

    ``keeps_intervals``: a contribution can lie in several quarter hours, and its ends are kept for periods
    that cut through one. ``keeps_values``: the hashes of texts are kept. ``keeps_latest(definition)``: the
    last event of each quarter hour is kept.
    """

    @property
    def merged(self) -> str: ...

    @property
    def keeps_intervals(self) -> bool: ...

    @property
    def keeps_values(self) -> bool: ...

    def keeps_latest(self, definition: MeterDefinition) -> bool: ...

    def answer(self, definition: MeterDefinition) -> str: ...

    def contributions(self, definition: MeterDefinition, events: Fragment) -> Fragment: ...

    def clipped(self, contributed: Fragment, stretches: Fragment, by: Fragment, cut: Cut) -> Fragment: ...

    def in_buckets(self, definition: MeterDefinition) -> Fragment: ...


KINDS: dict[str, Kind] = {
    COUNT: count.KIND,
    SUM: sum.KIND,
    MAX: max.KIND,
    MIN: min.KIND,
    AVERAGE: average.KIND,
    LATEST: latest.KIND,
    UNIQUE: unique.KIND,
    DURATION: duration.KIND,
}


class AggregationNotBuilt(Exception):
    """A meter's aggregation that documents may name and that is not counted yet."""


def kind(aggregation: str) -> Kind:
    """The file of an aggregation. Raises AggregationNotBuilt."""
    if aggregation not in KINDS:
        raise AggregationNotBuilt(f"aggregation {aggregation} is not built yet")
    return KINDS[aggregation]
