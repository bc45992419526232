"""MAX: the largest value. What is carried over is not the largest but the last value before the period."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions.points import Points


def largest(definition: MeterDefinition) -> str:
    """The largest of the quantities inside and of the last one before."""
    return """greatest(
        max(quantity) filter (where not is_before), (metering_latest(latest) filter (where is_before)).value
    )"""


def carries_over(definition: MeterDefinition) -> bool:
    return definition.carry_over


KIND = Points(
    gathered="max({quantity})",
    merged="greatest(usage.quantity, excluded.quantity)",
    answer=largest,
    keeps_latest=carries_over,
)
