"""Takes the locks of invoicing in the one order that every part keeps: customer, subscription, plan, invoice.

The customer's lock is the gate: while it is held nobody else drafts, finalizes or voids an invoice of this
customer, nor changes who pays for which subject. The plan's is shared with other invoices: while any of them
is under way no version of the plan is published, which could change the prices that were just read.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import QuerySet

from billing.models import Customer, Invoice, Subscription

_SHARE_PLANS = """
select id from billing_plan
where id in (select plan_id from billing_subscriptionphase where subscription_id = any(%s))
order by id for share
"""


def subscription(*, subscription_id: int, is_waiting: bool = True) -> Subscription | None:
    """The subscription, locked with its customer and plans; None if somebody else has it, unless waiting."""
    customers = Customer.objects.filter(subscriptions=subscription_id)
    if _locked(customers, is_waiting) is None and not is_waiting:
        return None
    found = Subscription.objects.select_for_update(no_key=True, of=("self",)).select_related("customer")
    locked = found.get(pk=subscription_id)
    _share_plans([locked.pk])
    return locked


def invoice(*, invoice_id: int, is_waiting: bool = True) -> Invoice | None:
    """The invoice, locked with its customer, subscriptions and their plans; None as in `subscription`."""
    customers = Customer.objects.filter(invoices=invoice_id)
    if _locked(customers, is_waiting) is None and not is_waiting:
        return None
    subscriptions = Subscription.objects.filter(service_periods__invoice=invoice_id).order_by("pk")
    locked = subscriptions.select_for_update(no_key=True, of=("self",))
    _share_plans(list(locked.values_list("pk", flat=True)))
    found = Invoice.objects.select_for_update(of=("self",)).select_related("customer")
    return found.get(pk=invoice_id)


def _share_plans(subscription_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SHARE_PLANS, [list(subscription_ids)])


def _locked(customers: QuerySet[Customer], is_waiting: bool) -> Customer | None:
    return customers.select_for_update(no_key=True, of=("self",), skip_locked=not is_waiting).first()
