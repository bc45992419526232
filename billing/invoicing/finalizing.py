"""Makes drafts final: numbered, dated, with seller and buyer as they are now, and frozen from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.invoicing import drafting, locking, numbering, returning, terms
from billing.invoicing.numbering import Print
from billing.models import Customer, Invoice, Seller

_PRINTED = ("name", "legal_name", "tax_id", "address", "email")


class InvoiceAlreadyFinalized(Exception):
    """An invoice is finalized once."""


class InvoiceBlocked(Exception):
    """The draft's amounts cannot be computed, for the reason that stands on it."""


class GraceNotOver(Exception):
    """Until then usage may still come in late."""


class SellerMissing(Exception):
    """There is nobody in whose name an invoice could be written."""


@transaction.atomic
def finalize(*, invoice: Invoice, at: datetime) -> Invoice:
    """The invoice, computed once more from live usage and then finalized.

    Raises InvoiceAlreadyFinalized, drafting.PeriodNotEnded, GraceNotOver, InvoiceBlocked or SellerMissing;
    then nothing has changed.
    """
    invoice = locking.invoice(invoice_id=invoice.pk)
    if invoice.state != Invoice.State.DRAFT:
        raise InvoiceAlreadyFinalized(f"Invoice {invoice} is {invoice.get_state_display().lower()} already.")
    drafting.redraft(invoice=invoice, at=at)
    if invoice.finalize_at is not None and invoice.finalize_at > at:
        raise GraceNotOver(
            f"Invoice {invoice} follows late usage until {invoice.finalize_at:%Y-%m-%d %H:%M} UTC: finalize "
            "it then, or shorten the customer's grace period first."
        )
    if invoice.blocked_reason:
        raise InvoiceBlocked(f"Invoice {invoice} cannot be finalized: {invoice.blocked_reason}")
    return freeze(invoice=invoice, at=at)


def freeze(*, invoice: Invoice, at: datetime) -> Invoice:
    """The draft, finalized as it stands. See `freeze_all`."""
    freeze_all(invoices=[invoice], at=at)
    return invoice


def freeze_all(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Finalizes drafts as they stand, numbered in their order: those computed in this same transaction.

    Must come last in its transaction, for the sake of `numbering`, and for at most numbering.INVOICES_MAX.
    Raises SellerMissing.
    """
    if not invoices:
        return
    seller = terms.seller()
    if seller is None:
        raise SellerMissing("No invoice can be finalized yet: enter the seller in the console first.")
    for invoice in invoices:
        if invoice.total < 0:
            returning.give_back_below_zero(invoice=invoice, at=at)
    seller_as_printed = _as_printed(seller) | {"payment_reference": seller.payment_reference}
    prints = [
        Print(
            invoice, terms.due_date(customer=invoice.customer, seller=seller, at=at), _buyer(invoice.customer)
        )
        for invoice in invoices
    ]
    numbers = numbering.number_and_freeze(prints=prints, finalized_at=at, seller=seller_as_printed)
    for each in prints:
        invoice = each.invoice
        invoice.number, invoice.state = numbers[invoice.pk], Invoice.State.FINALIZED
        invoice.finalized_at, invoice.due_date = at, each.due_date
        invoice.seller, invoice.buyer, invoice.blocked_reason = dict(seller_as_printed), each.buyer, ""


def _buyer(customer: Customer) -> dict[str, Any]:
    return _as_printed(customer) | {
        column: getattr(customer, column) for column in ("key", "locale", "timezone")
    }


def _as_printed(party: Seller | Customer) -> dict[str, Any]:
    return {column: getattr(party, column) for column in _PRINTED}
