"""Makes a draft final: numbered, dated, with seller and buyer as they are now, and frozen from then on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from billing.invoicing import drafting, locking, numbering
from billing.models import Customer, Invoice, Seller
from billing.registering import SELLER_ID

_PRINTED = ("name", "legal_name", "tax_id", "address", "email")


class InvoiceAlreadyFinalized(Exception):
    """An invoice is finalized once."""


class InvoiceBlocked(Exception):
    """The draft's amounts cannot be computed, for the reason that stands on it."""


class SellerMissing(Exception):
    """There is nobody in whose name an invoice could be written."""


@transaction.atomic
def finalize(*, invoice: Invoice, at: datetime) -> Invoice:
    """The invoice, computed once more from live usage and then finalized.

    Raises InvoiceAlreadyFinalized, drafting.PeriodNotEnded, InvoiceBlocked or SellerMissing; then nothing
    has changed.
    """
    invoice = locking.invoice(invoice_id=invoice.pk)
    if invoice.state != Invoice.State.DRAFT:
        raise InvoiceAlreadyFinalized(f"Invoice {invoice} is {invoice.get_state_display().lower()} already.")
    drafting.redraft(invoice=invoice, at=at)
    if invoice.blocked_reason:
        raise InvoiceBlocked(f"Invoice {invoice} cannot be finalized: {invoice.blocked_reason}")
    return freeze(invoice=invoice, at=at)


def freeze(*, invoice: Invoice, at: datetime) -> Invoice:
    """The draft, finalized as it stands. For a draft that was computed in this same transaction.

    The due date is ``due_days`` of the seller after the local date of the customer. Must come last in its
    transaction, for the sake of `numbering`. Raises SellerMissing.
    """
    seller = Seller.objects.filter(pk=SELLER_ID).first()
    if seller is None:
        raise SellerMissing("No invoice can be finalized yet: enter the seller in the console first.")
    customer = invoice.customer
    frozen = {
        "finalized_at": at,
        "due_date": at.astimezone(ZoneInfo(customer.timezone)).date() + timedelta(days=seller.due_days),
        "seller": _as_printed(seller) | {"payment_reference": seller.payment_reference},
        "buyer": _as_printed(customer)
        | {column: getattr(customer, column) for column in ("key", "locale", "timezone")},
    }
    number = numbering.number_and_freeze(invoice=invoice, **frozen)
    for column, value in {
        **frozen,
        "number": number,
        "state": Invoice.State.FINALIZED,
        "blocked_reason": "",
    }.items():
        setattr(invoice, column, value)
    return invoice


def _as_printed(party: Seller | Customer) -> dict[str, Any]:
    return {column: getattr(party, column) for column in _PRINTED}
