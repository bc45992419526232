"""SQL of what adds up: over time, dimensions and subjects."""

from __future__ import annotations

from metering.documents.meter import MeterDefinition

GATHERED = "sum({quantity})"
MERGED = "usage.quantity + excluded.quantity"


def answer(definition: MeterDefinition) -> str:
    """The sum of all quantities."""
    return "sum(quantity)"
