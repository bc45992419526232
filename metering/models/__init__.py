"""The tables of the fact side. Each file holds one subject."""

from metering.models.event import Event, EventBatch, EventKey, RejectedEvent
from metering.models.meter import Meter, MeterEpoch, MeterVersion
from metering.models.source import ApiKey, WebhookSource
from metering.models.usage import (
    UncountedEvent,
    UsageBucket,
    UsageInterval,
    UsageRevision,
    UsageSeries,
    UsageValue,
)

__all__ = [
    "ApiKey",
    "Event",
    "EventBatch",
    "EventKey",
    "Meter",
    "MeterEpoch",
    "MeterVersion",
    "RejectedEvent",
    "UncountedEvent",
    "UsageBucket",
    "UsageInterval",
    "UsageRevision",
    "UsageSeries",
    "UsageValue",
    "WebhookSource",
]
