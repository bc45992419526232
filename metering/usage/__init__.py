"""The usage door: quantities are read through it, and only through it. Buckets are a cache, not the truth."""

from metering.usage import single_events
from metering.usage.dimensions import DimensionUnknown
from metering.usage.meters import definition, versions
from metering.usage.subjects import last_month_with_usage, subjects
from metering.usage.totals import Quantities, SpansTooMany, Usage, quantities
from metering.usage.unmetered import Unmetered, unmatched, unusable
from metering.usage.windows import Windows, WindowsTooMany

__all__ = [
    "DimensionUnknown",
    "Quantities",
    "SpansTooMany",
    "Unmetered",
    "Usage",
    "Windows",
    "WindowsTooMany",
    "definition",
    "last_month_with_usage",
    "quantities",
    "single_events",
    "subjects",
    "unmatched",
    "unusable",
    "versions",
]
