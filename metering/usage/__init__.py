"""The usage door: quantities are read through it, and only through it. Buckets are a cache, not the truth."""

from metering.usage.meters import definition, versions
from metering.usage.statement import DimensionUnknown
from metering.usage.subjects import last_month_with_usage, subjects
from metering.usage.totals import Quantities, SpansTooMany, Usage, quantities
from metering.usage.windows import Windows, WindowsTooMany

__all__ = [
    "DimensionUnknown",
    "Quantities",
    "SpansTooMany",
    "Usage",
    "Windows",
    "WindowsTooMany",
    "definition",
    "last_month_with_usage",
    "quantities",
    "subjects",
    "versions",
]
