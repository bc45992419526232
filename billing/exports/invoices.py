"""Which invoices belong to a month, read as a stream."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import (
    Count,
    DateField,
    DateTimeField,
    Exists,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Sum,
    TextField,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Collate, Length

from billing.exports.totals import Totals
from billing.models import Invoice, InvoiceLine, Seller, ServicePeriod

# Invoices that are in memory at once, with their lines.
CHUNK = 100
CHARGED = (Invoice.State.FINALIZED, Invoice.State.PAID)
ISSUED = (*CHARGED, Invoice.State.VOID)
PARTY_FIELDS = ("name", "legal_name", "tax_id", "address", "email")

_PERIODS = Prefetch(
    "service_periods",
    # The rating input may be large and is not printed.
    ServicePeriod.objects.defer("rating_input").select_related("subscription").order_by("start_at", "id"),
)
_LINES = Prefetch("service_periods__lines", InvoiceLine.objects.order_by("position"))


def stream(*, month: date) -> Iterator[Invoice]:
    """The month's issued invoices, void ones too, by number, with service periods and lines loaded.

    At most `CHUNK` invoices are in memory. One cursor reads them, so that an invoice that is finalized
    meanwhile is either in it or not.
    """
    invoices = of_month(month).filter(state__in=ISSUED)
    in_order = invoices.order_by(Length("number"), Collate("number", "C"))
    return in_order.select_related("customer").prefetch_related(_PERIODS, _LINES).iterator(chunk_size=CHUNK)


def with_lines(*, invoice: Invoice) -> Invoice:
    """The same invoice read again, with service periods and lines loaded as `stream` does."""
    return Invoice.objects.select_related("customer").prefetch_related(_PERIODS, _LINES).get(pk=invoice.pk)


def count(*, month: date) -> int:
    """How many issued invoices the month has, void ones included."""
    return of_month(month).filter(state__in=ISSUED).count()


def draft_count(*, month: date) -> int:
    """How many drafts would belong to the month: they are not exported."""
    return of_month(month).filter(state=Invoice.State.DRAFT).count()


def totals(*, month: date) -> tuple[int, Totals]:
    """How many invoices charge something in the month, and the sums of their totals by currency."""
    sums = of_month(month).filter(state__in=CHARGED).order_by().values("currency")
    number, result = 0, Totals()
    for row in sums.annotate(invoices=Count("pk"), amount=Sum("total")):
        number += row["invoices"]
        result.add(row["currency"], row["amount"])
    return number, result


def seller(invoice: Invoice) -> dict[str, Any]:
    """The seller as printed on the invoice; on a draft as it is now."""
    if invoice.seller:
        return invoice.seller
    row = Seller.objects.first()
    return {name: getattr(row, name) for name in (*PARTY_FIELDS, "payment_reference")} if row else {}


def buyer(invoice: Invoice) -> dict[str, Any]:
    """The customer as printed on the invoice; what the invoice does not hold, as it is now."""
    names = ("key", *PARTY_FIELDS, "timezone", "locale")
    now = {name: getattr(invoice.customer, name) for name in names}
    return now | {name: value for name, value in invoice.buyer.items() if value is not None}


def zone(period: ServicePeriod) -> zoneinfo.ZoneInfo:
    """The time zone at whose midnights the period was cut."""
    return zoneinfo.ZoneInfo(period.subscription.timezone)


def of_month(month: date) -> QuerySet[Invoice]:
    """The invoices whose service ended in the month, see docs/exports.md.

    Usage counts for the month of the last instant before the end, by the subscription's own clock. A fee in
    advance counts for the month in which its period starts, where nothing was billed in arrears.
    """
    first = month.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    last = F("end_at") - timedelta(microseconds=1)
    last_day = Max(_local_day(last), filter=Q(part=ServicePeriod.Part.ARREARS))
    served = (
        ServicePeriod.objects.order_by()
        .values("invoice")
        .annotate(day=Coalesce(last_day, Min(_local_day(F("start_at")))))
        .filter(day__gte=first, day__lt=after)
    )
    has_period = Exists(ServicePeriod.objects.filter(invoice=OuterRef("pk")))
    return Invoice.objects.filter(
        Q(pk__in=served.values("invoice"))
        | Q(~has_period, finalized_at__gte=_midnight(first), finalized_at__lt=_midnight(after))
    )


def _local_day(instant: Combinable) -> Cast:
    """The date of an instant by the subscription's own clock."""
    zone_name = Cast(F("subscription__timezone"), TextField())
    return Cast(Func(zone_name, instant, function="timezone", output_field=DateTimeField()), DateField())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
