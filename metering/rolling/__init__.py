"""From events to buckets: batches are claimed, counted by every meter and marked, in one transaction.

The row of a batch is the message, Celery only the alarm clock: what was not finished is found again.
"""

from metering.rolling.building import build
from metering.rolling.claiming import ATTEMPTS_MAX, SPLITS_MAX
from metering.rolling.rebuilding import Comparison, Difference, differences, rebuild
from metering.rolling.running import roll_up

__all__ = [
    "ATTEMPTS_MAX",
    "SPLITS_MAX",
    "Comparison",
    "Difference",
    "build",
    "differences",
    "rebuild",
    "roll_up",
]
