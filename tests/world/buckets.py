"""What the roll-up has stored, and what the measures say that it should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from metering import measures, usage
from metering.measures import Contribution, Event
from metering.models import MeterVersion, UsageBucket, UsageInterval

Buckets = dict[tuple[str, frozenset, datetime], tuple[Decimal, int]]


def stored(version: MeterVersion) -> Buckets:
    """The buckets of a meter version, by subject, dimensions and start."""
    rows = UsageBucket.objects.filter(series__meter_version=version).select_related("series")
    return {
        (row.series.subject, frozenset(row.series.dimensions.items()), row.start): (row.quantity, row.count)
        for row in rows
    }


def expected(version: MeterVersion, events: Sequence[Event]) -> Buckets:
    """The buckets that the events add up to by the measures."""
    definition = usage.definition(version)
    found: Buckets = defaultdict(lambda: (Decimal(0), 0))
    for each in contributions(version, events):
        for part in measures.parts(definition, each):
            key = each.subject, frozenset(each.dimensions), part.start
            quantity, count = found[key]
            found[key] = quantity + part.quantity, count + part.count
    return dict(found)


def contributions(version: MeterVersion, events: Sequence[Event]) -> list[Contribution]:
    """What the events contribute to a meter version by the measures."""
    definition = usage.definition(version)
    answers = (measures.usable(definition, each) for each in events if measures.matching(definition, each))
    return [each for each in answers if isinstance(each, Contribution)]


def intervals(version: MeterVersion) -> set[tuple]:
    """The kept intervals of a meter version."""
    return set(
        UsageInterval.objects.filter(series__meter_version=version).values_list(
            "series__subject", "start", "end", "counted_at", "weight", "excess"
        )
    )
