"""Takes a finalized invoice back: it keeps its number and its lines, and frees its service periods."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from billing.invoicing import locking
from billing.models import Invoice


class InvoiceNotFinalized(Exception):
    """A draft cannot be voided: it follows live usage and has no number yet."""


class InvoicePaid(Exception):
    """A paid invoice cannot be voided."""


class InvoiceAlreadyVoid(Exception):
    """An invoice is voided once."""


@transaction.atomic
def void(*, invoice: Invoice, at: datetime) -> Invoice:
    """The invoice, now void. Its service periods may be drafted anew, which nothing does by itself.

    Raises InvoiceNotFinalized, InvoicePaid or InvoiceAlreadyVoid.
    """
    invoice = locking.invoice(invoice_id=invoice.pk)
    if invoice.state == Invoice.State.DRAFT:
        raise InvoiceNotFinalized(f"Invoice {invoice} is a draft: there is nothing to take back.")
    if invoice.state == Invoice.State.PAID:
        raise InvoicePaid(f"Invoice {invoice} is paid and cannot be voided.")
    if invoice.state == Invoice.State.VOID:
        raise InvoiceAlreadyVoid(f"Invoice {invoice} is void already.")
    invoice.state = Invoice.State.VOID
    invoice.voided_at = at
    invoice.save(update_fields=["state", "voided_at"])
    invoice.service_periods.update(is_void=True)
    return invoice
