"""The formats of `billing.formats` as template filters."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template

from billing import formats
from billing.models import ServicePeriod
from metering.periods import Period

register = template.Library()

register.filter("number", formats.number)
register.filter("short_number", formats.short_number)


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """``{{ line.amount|money:invoice.currency }}``; nothing for no amount."""
    return "" if amount is None else formats.money(amount, currency)


@register.filter
def instant(at: datetime | None, zone: str = "UTC") -> str:
    """``{{ batch.received_at|instant }}`` or ``{{ at|instant:"Asia/Shanghai" }}``."""
    return formats.instant(at, zone)


@register.filter
def pretty_json(value: Any) -> str:
    """A document as indented JSON text, keys in their own order, numbers as they are."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def humane(code: str | None) -> str:
    """A code such as GREATEST or plan_minimum in words: "Greatest", "Plan minimum"."""
    return (code or "").replace("_", " ").lower().capitalize()


@register.filter
def reduction(amount: Decimal | str, currency: str) -> str:
    """What a discount takes away, with a minus; it is stored as a positive amount."""
    return formats.money(-abs(Decimal(amount)), currency)


@register.simple_tag
def period_text(period: ServicePeriod) -> str:
    """``{% period_text service_period %}``: its bounds in the time zone of its subscription."""
    return formats.period(period.start_at, period.end_at, period.subscription.timezone)


@register.simple_tag
def period_words(period: Period, zone: str = "UTC") -> str:
    """``{% period_words piece.billed "Asia/Shanghai" %}``."""
    return formats.period(period.start, period.end, zone)


@register.simple_tag
def validity(lower: datetime | None, upper: datetime | None) -> str:
    """``{% validity row.validity.lower row.validity.upper %}``: from when to when, in UTC."""
    return formats.validity(lower, upper)


@register.filter
def amount_text(text: str, currency: str) -> str:
    """As `money`, for an amount that is kept as text."""
    return formats.money(Decimal(text), currency)
