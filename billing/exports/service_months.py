"""Months, and in which of them the service of an invoice ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import DateField, DateTimeField, F, Func, Max, Min, Q, QuerySet, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from billing.models import ServicePeriod


def bounds(month: date) -> tuple[date, date]:
    """The first day of the month, and that of the next one."""
    first = month.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def midnight(day: date) -> datetime:
    """The beginning of the day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def served() -> QuerySet[Any]:
    """Rows {invoice, day}: the local day on which the service of each invoice ended, see docs/exports.md.

    Usage counts for the last instant before the end, by the subscription's own clock. A fee in advance
    counts for the day on which its period starts, where nothing was billed in arrears.
    """
    last = F("end_at") - timedelta(microseconds=1)
    last_day = Max(_local_day(last), filter=Q(part=ServicePeriod.Part.ARREARS))
    by_invoice = ServicePeriod.objects.order_by().values("invoice")
    return by_invoice.annotate(day=Coalesce(last_day, Min(_local_day(F("start_at")))))


def days(invoice_ids: Sequence[int]) -> dict[int, date]:
    """The day of `served` by invoice; one without service periods has none."""
    rows = served().filter(invoice__in=invoice_ids)
    return dict(rows.values_list("invoice", "day")) if invoice_ids else {}


def _local_day(instant: Combinable) -> Cast:
    """The date of an instant by the subscription's own clock."""
    zone_name = Cast(F("subscription__timezone"), TextField())
    return Cast(Func(zone_name, instant, function="timezone", output_field=DateTimeField()), DateField())
