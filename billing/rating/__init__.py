"""Rating: usage and plan versions become explained lines. Pure: no clock, no database, no settings."""

from billing.rating.inputs import Billed, MeterFacts, Segment, UsageRow
from billing.rating.quoting import quote
from billing.rating.rating import rate
from billing.rating.statement import Line, Statement, Step, TakenDiscount, Unbilled
from billing.rating.takes import dimension_names, needs_events, needs_quarters, told_apart

__all__ = [
    "Billed",
    "Line",
    "MeterFacts",
    "Segment",
    "Statement",
    "Step",
    "TakenDiscount",
    "Unbilled",
    "UsageRow",
    "dimension_names",
    "needs_events",
    "needs_quarters",
    "quote",
    "rate",
    "told_apart",
]
