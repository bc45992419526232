"""Takes a finalized invoice back: it keeps its number and its lines, and frees its service periods."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from billing.invoicing import drafting, locking, paying, pending
from billing.models import Invoice


class InvoiceNotFinalized(Exception):
    """A draft cannot be voided: it follows live usage and has no number yet."""


class InvoicePaid(Exception):
    """A paid invoice cannot be voided."""


class InvoiceAlreadyVoid(Exception):
    """An invoice is voided once."""


class InvoiceNotVoid(Exception):
    """What stands is not issued again: it is voided first, or corrected by a credit note."""


class InvoiceAlreadyReplaced(Exception):
    """There is another invoice in its place already."""


@transaction.atomic
def void(*, invoice: Invoice, at: datetime) -> Invoice:
    """The invoice, now void. Its service periods may be drafted anew, which nothing but `reissue` does.

    Raises InvoiceNotFinalized, InvoicePaid or InvoiceAlreadyVoid, and paying.InvoicePaidFor or
    paying.InvoiceCredited where a part was paid or credited.
    """
    invoice = locking.invoice(invoice_id=invoice.pk)
    if invoice.state == Invoice.State.DRAFT:
        raise InvoiceNotFinalized(f"Invoice {invoice} is a draft: there is nothing to take back.")
    if invoice.state == Invoice.State.PAID:
        raise InvoicePaid(f"Invoice {invoice} is paid and cannot be voided.")
    if invoice.state == Invoice.State.VOID:
        raise InvoiceAlreadyVoid(f"Invoice {invoice} is void already.")
    paying.check_voidable(invoice=invoice)
    pending.recheck(invoice=invoice)
    invoice.state = Invoice.State.VOID
    invoice.voided_at = at
    invoice.save(update_fields=["state", "voided_at"])
    invoice.service_periods.update(is_void=True)
    return invoice


@transaction.atomic
def reissue(*, invoice: Invoice, at: datetime) -> Invoice:
    """A draft in place of a void invoice: for the same periods, from usage and contracts as they are now.

    The next invoice run finalizes it, or a person does. Raises InvoiceNotVoid, InvoiceAlreadyReplaced, and
    drafting.PeriodAlreadyInvoiced where one of the periods has been drafted by hand meanwhile.
    """
    void = locking.invoice(invoice_id=invoice.pk)
    if void.state != Invoice.State.VOID:
        raise InvoiceNotVoid(f"Invoice {void} is {void.get_state_display().lower()}: void it first.")
    replacement = void.replacements.exclude(state=Invoice.State.VOID).first()
    if replacement is not None:
        raise InvoiceAlreadyReplaced(f"In place of invoice {void} there is {replacement} already.")
    periods = drafting.periods(invoices=[void])
    wants = list(drafting.wanted_again(periods=periods))
    return drafting.new(customer=void.customer, wants=wants, at=at, replaces=void)
