"""When a change takes effect: at an instant, now, or at the end of the billing period."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing import subscribing
from billing.models import Subscription
from metering.api.parameters import InstantField

NOW, PERIOD_END = "now", "period_end"
When = datetime | str
_SCHEMA = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "enum": [NOW]}]}


@extend_schema_field(_SCHEMA)
class WhenField(InstantField):
    """An instant, or `now`, which it is if nothing is said."""

    words: tuple[str, ...] = (NOW,)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "default": NOW, **options})

    def to_internal_value(self, data: Any) -> When:
        if data in self.words:
            return str(data)
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                [f"{each}; or write {' or '.join(self.words)}" for each in error.detail]
            ) from None


@extend_schema_field(
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "enum": [NOW, PERIOD_END]}]}
)
class PeriodWhenField(WhenField):
    """An instant, `now`, or `period_end`: the end of the billing period that is running."""

    words = (NOW, PERIOD_END)


def instant(when: When, *, at: datetime) -> datetime:
    """The instant that was meant, if it is ``at`` now."""
    return at if isinstance(when, str) else when


def instant_of(when: When, *, subscription: Subscription, at: datetime) -> datetime:
    """As `instant`, with the periods of the subscription."""
    if when == PERIOD_END:
        return subscribing.period_end(subscription=subscription, at=at)
    return instant(when, at=at)
