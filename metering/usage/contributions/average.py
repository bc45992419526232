"""AVERAGE: the sum of the values is kept, and whoever asks divides it by their number, once."""

from __future__ import annotations

from metering.usage.contributions import added
from metering.usage.contributions.points import Points

KIND = Points(gathered=added.GATHERED, merged=added.MERGED, answer=added.answer)
