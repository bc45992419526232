"""Months that were handed out: what is voided or replaced afterwards goes into the month in which it is.

A month is closed by its first export that was asked for after its end, and done.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from django.db.models import QuerySet

from billing.exports import service_months
from billing.models import Export, Invoice


def at(*, month: date, asked_at: datetime | None = None) -> datetime | None:
    """From when on what is voided is no matter of the month any more; None while it was not exported.

    ``asked_at``: when an export was asked for that is being made; if no other closes the month, it will.
    """
    instants = [] if asked_at is None else [asked_at]
    exports = Export.objects.filter(month=month.replace(day=1), state=Export.State.DONE)
    instants += exports.values_list("made_at", flat=True)
    return min((each for each in instants if _is_after(each, month)), default=None)


def voided_later(*, month: date) -> list[int]:
    """The ids of invoices that were voided in the month (UTC), after the month that has them was closed."""
    start, end = _instants(month)
    voided = Invoice.objects.filter(state=Invoice.State.VOID, voided_at__gte=start, voided_at__lt=end)
    closings = _closings()
    return [
        invoice.pk
        for invoice, booked in _booked(voided, closings)
        if booked in closings and invoice.voided_at is not None and invoice.voided_at > closings[booked]
    ]


def replaced_later(*, month: date) -> list[int]:
    """The ids of invoices that were finalized in the month (UTC) in place of void ones of closed months."""
    start, end = _instants(month)
    replacing = Invoice.objects.filter(replaces__isnull=False, finalized_at__gte=start, finalized_at__lt=end)
    closings = _closings()
    return [invoice.pk for invoice, booked in _booked(replacing, closings, is_late_only=True) if booked]


def _booked(
    invoices: QuerySet[Invoice], closings: dict[date, datetime], *, is_late_only: bool = False
) -> Iterator[tuple[Invoice, date | None]]:
    """Each invoice with the month that has it: that of its service, or, where it came in place of another
    after that one was closed, that in which it was finalized. ``is_late_only``: None for all others.
    """
    found = list(invoices.only("pk", "voided_at", "finalized_at", "replaces_id"))
    days = service_months.days([invoice.pk for invoice in found])
    for invoice in found:
        assert invoice.finalized_at is not None  # it was issued
        issued = invoice.finalized_at.astimezone(UTC).date().replace(day=1)
        served = days[invoice.pk].replace(day=1) if invoice.pk in days else issued
        closed_at = closings.get(served)
        is_late = invoice.replaces_id is not None and closed_at and invoice.finalized_at > closed_at
        yield invoice, issued if is_late else None if is_late_only else served


def _instants(month: date) -> tuple[datetime, datetime]:
    first, after = service_months.bounds(month)
    return service_months.midnight(first), service_months.midnight(after)


def _closings() -> dict[date, datetime]:
    """When each month was closed, of those that were."""
    found: dict[date, datetime] = {}
    done = Export.objects.filter(state=Export.State.DONE).values_list("month", "made_at")
    for month, made_at in done.order_by("-made_at"):
        if _is_after(made_at, month):
            found[month] = made_at
    return found


def _is_after(instant: datetime, month: date) -> bool:
    return instant >= service_months.midnight(service_months.bounds(month)[1])
