"""LATEST: the value of the last event in the order of (time, source, id)."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions.points import Points


def last(definition: MeterDefinition) -> str:
    """The last of all quantities; one that is carried over is earlier than any inside."""
    return "(metering_latest(latest)).value"


def always(definition: MeterDefinition) -> bool:
    return True


KIND = Points(
    gathered="(metering_latest({latest})).value",
    merged="(greatest(usage.latest, excluded.latest)).value",
    answer=last,
    keeps_latest=always,
)
