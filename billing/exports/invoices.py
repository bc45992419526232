"""Which invoices and credit notes belong to a month, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Sum
from django.db.models.functions import Collate, Length

from billing.exports import closed, service_months, vouchers
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


def stream(*, month: date, has_inputs: bool = True, asked_at: datetime | None = None) -> Iterator[Voucher]:
    """The month's issued invoices, void ones too, its credit notes, and what takes back invoices of closed
    months that were voided in this one, each by number, with lines loaded.

    ``has_inputs``: whether what they were computed from is loaded, which may be large. ``asked_at``: when
    the export was asked for that they are for. At most `CHUNK` of them are in memory. One cursor reads the
    invoices, so that one that is finalized meanwhile is either in it or not.
    """
    closed_at = closed.at(month=month, asked_at=asked_at)
    for invoice in _read(issued(month, closed_at=closed_at), has_inputs):
        yield Voucher(invoice, closed_at=closed_at)
    for note in _by_number(_with_credited(credit_notes_of(month))).iterator(chunk_size=CHUNK):
        yield Voucher(note.invoice, note)
    for invoice in _read(voided_later(month), has_inputs):
        yield vouchers.taking_back(invoice)


def _read(invoices: QuerySet[Invoice], has_inputs: bool) -> Iterator[Invoice]:
    in_order = _by_number(invoices.select_related("customer"))
    return in_order.prefetch_related(_periods(has_inputs), _LINES).iterator(chunk_size=CHUNK)


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
    """How many vouchers the month has: what `stream` gives."""
    own = issued(month, closed_at=closed.at(month=month)).count()
    return own + credit_notes_of(month).count() + voided_later(month).count()


def draft_count(*, month: date) -> int:
    """How many drafts would belong to the month: they are not exported."""
    drafts = of_month(month).filter(state=Invoice.State.DRAFT)
    if closed.at(month=month) is not None:
        drafts = drafts.filter(replaces__isnull=True)  # see `issued`
    return drafts.count()


def is_open(*, month: date) -> bool:
    """Whether something of the month is still to be invoiced: a draft, or a period that ends in it."""
    first, after = service_months.bounds(month)
    due = Subscription.objects.filter(
        next_billing_at__gt=service_months.midnight(first),
        next_billing_at__lte=service_months.midnight(after),
    )
    return draft_count(month=month) > 0 or due.exists()


def totals(*, month: date) -> tuple[int, Totals]:
    """How many invoices charge something in the month, and what is owed by currency, less credit notes."""
    is_charged = Q(state__in=CHARGED)
    closed_at = closed.at(month=month)
    if closed_at is not None:
        is_charged |= Q(state=Invoice.State.VOID, voided_at__gt=closed_at)
    sums = issued(month, closed_at=closed_at).filter(is_charged).order_by().values("currency")
    number, result = 0, Totals()
    for row in sums.annotate(invoices=Count("pk"), amount=Sum("total")):
        number += row["invoices"]
        result.add(row["currency"], row["amount"])
    for row in credit_notes_of(month).order_by().values("currency").annotate(amount=Sum("total")):
        result.add(row["currency"], -row["amount"])
    for row in voided_later(month).order_by().values("currency").annotate(amount=Sum("total")):
        result.add(row["currency"], -row["amount"])
    return number, result


def credit_notes_of(month: date) -> QuerySet[CreditNote]:
    """The credit notes that were issued in the month, in UTC: what was exported before stays as it was."""
    first, after = service_months.bounds(month)
    return CreditNote.objects.filter(
        issued_at__gte=service_months.midnight(first), issued_at__lt=service_months.midnight(after)
    )


def voided_later(month: date) -> QuerySet[Invoice]:
    """The invoices that were voided in the month after their own was closed: it takes them back."""
    return Invoice.objects.filter(pk__in=closed.voided_later(month=month))


def issued(month: date, *, closed_at: datetime | None) -> QuerySet[Invoice]:
    """The month's invoices that were issued, void ones too.

    ``closed_at``: what was finalized later in place of a void invoice belongs to another month.
    """
    own = of_month(month).filter(state__in=ISSUED)
    if closed_at is not None:
        own = own.exclude(replaces__isnull=False, finalized_at__gt=closed_at)
    late = closed.replaced_later(month=month)
    return Invoice.objects.filter(Q(pk__in=own.values("pk")) | Q(pk__in=late)) if late else own


def of_month(month: date) -> QuerySet[Invoice]:
    """The invoices whose service ended in the month, see docs/exports.md.

    Usage counts for the month of the last instant before the end, by the subscription's own clock. A fee in
    advance counts for the month in which its period starts, where nothing was billed in arrears.
    """
    first, after = service_months.bounds(month)
    served = service_months.served().filter(day__gte=first, day__lt=after)
    has_period = Exists(ServicePeriod.objects.filter(invoice=OuterRef("pk")))
    return Invoice.objects.filter(
        Q(pk__in=served.values("invoice"))
        | Q(
            ~has_period,
            finalized_at__gte=service_months.midnight(first),
            finalized_at__lt=service_months.midnight(after),
        )
    )
