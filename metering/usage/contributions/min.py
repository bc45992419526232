"""MIN: the smallest value."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions.points import Points


def smallest(definition: MeterDefinition) -> str:
    """The smallest of all quantities."""
    return "min(quantity)"


KIND = Points(gathered="min({quantity})", merged="least(usage.quantity, excluded.quantity)", answer=smallest)
