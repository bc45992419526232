"""Takes the locks of invoicing in the one order that every part keeps: customer, subscription, invoice.

The customer's lock is the gate: while it is held nobody else drafts, finalizes or voids an invoice of this
customer, nor changes who pays for which subject.
"""

from __future__ import annotations

from django.db.models import QuerySet

from billing.models import Customer, Invoice, Subscription


def subscription(*, subscription_id: int, is_waiting: bool = True) -> Subscription | None:
    """The subscription, locked with its customer; None if another transaction has it, unless waiting."""
    customers = Customer.objects.filter(subscriptions=subscription_id)
    if _locked(customers, is_waiting) is None and not is_waiting:
        return None
    found = Subscription.objects.select_for_update(no_key=True, of=("self",)).select_related("customer")
    return found.get(pk=subscription_id)


def invoice(*, invoice_id: int, is_waiting: bool = True) -> Invoice | None:
    """The invoice, locked with its customer and subscriptions; None as in `subscription`."""
    customers = Customer.objects.filter(invoices=invoice_id)
    if _locked(customers, is_waiting) is None and not is_waiting:
        return None
    subscriptions = Subscription.objects.filter(service_periods__invoice=invoice_id).order_by("pk")
    list(subscriptions.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    found = Invoice.objects.select_for_update(of=("self",)).select_related("customer")
    return found.get(pk=invoice_id)


def _locked(customers: QuerySet[Customer], is_waiting: bool) -> Customer | None:
    return customers.select_for_update(no_key=True, of=("self",), skip_locked=not is_waiting).first()
