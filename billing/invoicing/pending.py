"""Adjustments that wait for the customer's next invoice: rows of old periods on a draft of their own.

Such a draft has no instant at which its grace ends. The next draft of the customer takes its rows along.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from billing import statements
from billing.invoicing import adjustments
from billing.invoicing.adjustments import Adjustment
from billing.models import Customer, Invoice, InvoiceLine, Recheck, ServicePeriod
from metering.periods import MICROSECOND


def is_waiting(invoice: Invoice) -> bool:
    """Whether the draft holds adjustments that wait for the customer's next invoice."""
    return invoice.state == Invoice.State.DRAFT and invoice.finalize_at is None


def refreshed(
    *, customers: Collection[Customer], drafts: Collection[Invoice] = (), at: datetime
) -> dict[int, list[ServicePeriod]]:
    """The adjustments that belong on the next draft of each customer, by the customer's id, as of now.

    These are the waiting ones, and those that stand on one of ``drafts``; ones that are due no more are
    deleted. One that cannot be rated at present stays as it is where it stands on one of the drafts, and goes
    on waiting else. The caller holds the customers' locks, writes the sums of the drafts that take the rows,
    and calls `move`.
    """
    is_here = Q(invoice__finalize_at=None) | Q(invoice__in=[draft.pk for draft in drafts])
    rows = (
        ServicePeriod.objects.filter(
            is_here,
            invoice__state=Invoice.State.DRAFT,
            invoice__customer__in=[customer.pk for customer in customers],
            sequence__gt=1,
            is_void=False,
        )
        .select_related("invoice", "subscription__customer")
        .order_by("start_at", "pk")
    )
    found: dict[int, list[ServicePeriod]] = defaultdict(list)
    for row in rows:
        if _is_due(row, at):
            found[row.invoice.customer_id].append(row)
    return found


def _is_due(row: ServicePeriod, at: datetime) -> bool:
    try:
        adjustment = adjustments.of(
            subscription=row.subscription, start_at=row.start_at, at=at, without=[row.pk]
        )
    except statements.REFUSALS:
        return not is_waiting(row.invoice)
    if adjustment.net <= 0:
        delete(row)
        return False
    rewrite(row=row, adjustment=adjustment)
    return True


def rewrite(*, row: ServicePeriod, adjustment: Adjustment) -> None:
    """Writes what the adjustment says now into its stored row."""
    InvoiceLine.objects.filter(service_period=row).delete()
    found = adjustment.fill(row)
    row.save()
    InvoiceLine.objects.bulk_create(found)


def delete(row: ServicePeriod) -> None:
    """Deletes an adjustment that is due no more; its draft's sums are the caller's."""
    InvoiceLine.objects.filter(service_period=row).delete()
    row.delete()


def move(*, rows: Sequence[ServicePeriod], invoice: Invoice) -> None:
    """Puts the rows on the draft, and deletes waiting drafts of its customer that have nothing left."""
    ServicePeriod.objects.filter(pk__in=[row.pk for row in rows]).update(invoice=invoice)
    empty = Invoice.objects.filter(
        customer=invoice.customer_id,
        state=Invoice.State.DRAFT,
        finalize_at=None,
        service_periods=None,
    )
    empty.exclude(pk=invoice.pk).delete()


def recheck(*, invoice: Invoice) -> None:
    """Has the pieces rated again of which adjustments stand on an invoice that is taken back now."""
    rows = ServicePeriod.objects.filter(invoice=invoice, sequence__gt=1).select_related("subscription")
    Recheck.objects.bulk_create(
        Recheck(
            customer_id=invoice.customer_id,
            validity=DateTimeTZRange(row.start_at, row.start_at + MICROSECOND),
            reason=f"an adjustment of {row} was taken back with {invoice}",
        )
        for row in rows
    )
