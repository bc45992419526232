"""Which invoices and credit notes belong to a month, read as a stream."""

from __future__ import annotations

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
from billing.exports.vouchers import Voucher
from billing.models import (
    CreditNote,
    CreditNoteLine,
    Invoice,
    InvoiceLine,
    ServicePeriod,
    Subscription,
)

# Invoices that are in memory at once, with their lines.
CHUNK = 100
CHARGED = (Invoice.State.FINALIZED, Invoice.State.PAID)
ISSUED = (*CHARGED, Invoice.State.VOID)

_LINES = Prefetch("service_periods__lines", InvoiceLine.objects.order_by("position"))
_CREDITED = (
    Prefetch(
        "lines",
        CreditNoteLine.objects.order_by("position").select_related(
            "service_period__subscription", "invoice_line__service_period__subscription"
        ),
    ),
    Prefetch("lines__service_period__lines", InvoiceLine.objects.order_by("position")),
)


def stream(*, month: date, has_inputs: bool = True) -> Iterator[Voucher]:
    """The month's issued invoices, void ones too, then its credit notes, by number, with lines loaded.

    ``has_inputs``: whether what they were computed from is loaded, which may be large. At most `CHUNK` of
    them are in memory. One cursor reads the invoices, so that one that is finalized meanwhile is either in it
    or not.
    """
    in_order = _by_number(of_month(month).filter(state__in=ISSUED).select_related("customer"))
    for invoice in in_order.prefetch_related(_periods(has_inputs), _LINES).iterator(chunk_size=CHUNK):
        yield Voucher(invoice)
    for note in _by_number(_with_credited(credit_notes_of(month))).iterator(chunk_size=CHUNK):
        yield Voucher(note.invoice, note)


def with_lines(*, invoice: Invoice) -> Invoice:
    """The same invoice read again, with service periods and lines loaded as `stream` does."""
    invoices = Invoice.objects.select_related("customer").prefetch_related(_periods(True), _LINES)
    return invoices.get(pk=invoice.pk)


def credit_note_with_lines(*, credit_note: CreditNote) -> Voucher:
    """The credit note read again, with its lines loaded as `stream` does."""
    note = _with_credited(CreditNote.objects.all()).get(pk=credit_note.pk)
    return Voucher(note.invoice, note)


def _with_credited(notes: QuerySet[CreditNote]) -> QuerySet[CreditNote]:
    return notes.select_related("customer", "invoice__customer").prefetch_related(*_CREDITED)


def _periods(has_inputs: bool) -> Prefetch:
    periods = ServicePeriod.objects.select_related("subscription").order_by("start_at", "id")
    return Prefetch("service_periods", periods if has_inputs else periods.defer("rating_input"))


def _by_number(documents: QuerySet[Any]) -> QuerySet[Any]:
    return documents.order_by(Length("number"), Collate("number", "C"))


def count(*, month: date) -> int:
    """How many vouchers the month has: issued invoices, void ones included, and credit notes."""
    return of_month(month).filter(state__in=ISSUED).count() + credit_notes_of(month).count()


def draft_count(*, month: date) -> int:
    """How many drafts would belong to the month: they are not exported."""
    return of_month(month).filter(state=Invoice.State.DRAFT).count()


def is_open(*, month: date) -> bool:
    """Whether something of the month is still to be invoiced: a draft, or a period that ends in it."""
    first, after = _bounds(month)
    due = Subscription.objects.filter(
        next_billing_at__gt=_midnight(first), next_billing_at__lte=_midnight(after)
    )
    return draft_count(month=month) > 0 or due.exists()


def totals(*, month: date) -> tuple[int, Totals]:
    """How many invoices charge something in the month, and what is owed by currency, less credit notes."""
    sums = of_month(month).filter(state__in=CHARGED).order_by().values("currency")
    number, result = 0, Totals()
    for row in sums.annotate(invoices=Count("pk"), amount=Sum("total")):
        number += row["invoices"]
        result.add(row["currency"], row["amount"])
    for row in credit_notes_of(month).order_by().values("currency").annotate(amount=Sum("total")):
        result.add(row["currency"], -row["amount"])
    return number, result


def credit_notes_of(month: date) -> QuerySet[CreditNote]:
    """The credit notes that were issued in the month, in UTC: what was exported before stays as it was."""
    first, after = _bounds(month)
    return CreditNote.objects.filter(issued_at__gte=_midnight(first), issued_at__lt=_midnight(after))


def of_month(month: date) -> QuerySet[Invoice]:
    """The invoices whose service ended in the month, see docs/exports.md.

    Usage counts for the month of the last instant before the end, by the subscription's own clock. A fee in
    advance counts for the month in which its period starts, where nothing was billed in arrears.
    """
    first, after = _bounds(month)
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


def _bounds(month: date) -> tuple[date, date]:
    """The first day of the month, and that of the next one."""
    first = month.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _local_day(instant: Combinable) -> Cast:
    """The date of an instant by the subscription's own clock."""
    zone_name = Cast(F("subscription__timezone"), TextField())
    return Cast(Func(zone_name, instant, function="timezone", output_field=DateTimeField()), DateField())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
