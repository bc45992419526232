"""Records usage events: screening of what came in, and one durable commit for many senders at once.

screened = [ingesting.screen(index=0, draft=draft, received_at=at, judge=meters.judge)]
[receipt] = ingesting.record([ingesting.submission(...)])
"""

from metering.ingesting.meterability import Meters, load
from metering.ingesting.recording import RecordingUnavailable, record
from metering.ingesting.screening import (
    EVENT_BYTES_MAX,
    Draft,
    Fact,
    Judge,
    Refusal,
    Screening,
    refuse,
    refuse_text,
    screen,
)
from metering.ingesting.submissions import Receipt, Rejection, Sender, Submission

__all__ = [
    "EVENT_BYTES_MAX",
    "Draft",
    "Fact",
    "Judge",
    "Meters",
    "Receipt",
    "RecordingUnavailable",
    "Refusal",
    "Rejection",
    "Screening",
    "Sender",
    "Submission",
    "load",
    "record",
    "refuse",
    "refuse_text",
    "screen",
]
