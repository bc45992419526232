"""Takes the locks of invoicing in the one order that every part keeps: customer, subscription, plan, invoice.

The customer's lock is the gate: while it is held nobody else drafts, finalizes or voids an invoice of this
customer, nor changes who pays for which subject. The plan's is shared with other invoices: while any of them
is under way no version of the plan is published, which could change the prices that were just read. Who takes
several of a kind takes them by id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from billing import taxing
from billing.models import Customer, Invoice, Subscription

_SHARE_PLANS = """
select id from billing_plan
where id in (select plan_id from billing_subscriptionphase where subscription_id = any(%s))
order by id for share
"""


class InvoiceGone(Exception):
    """The draft was discarded meanwhile, mostly in favour of a newer one."""


def subscription(*, subscription_id: int) -> Subscription:
    """The subscription, locked with its customer and plans."""
    _lock_customers(Customer.objects.filter(subscriptions=subscription_id))
    (locked,) = _subscriptions(Subscription.objects.filter(pk=subscription_id))
    return locked


def invoice(*, invoice_id: int) -> Invoice:
    """The invoice, locked with its customer, subscriptions and their plans. Raises InvoiceGone."""
    _lock_customers(Customer.objects.filter(invoices=invoice_id))
    locked = _invoices([invoice_id])
    if not locked:
        raise InvoiceGone("This draft is not there any more: look for the customer's newest one.")
    return locked[0]


def due_subscriptions(*, customer_ids: Sequence[int], as_of: datetime) -> list[Subscription]:
    """The subscriptions of the customers of which something is due, locked with their plans.

    The caller holds the customers' locks.
    """
    return _subscriptions(Subscription.objects.filter(is_due(as_of), customer__in=customer_ids))


def is_due(as_of: datetime) -> Q:
    """Which subscriptions something was due of by the instant."""
    return Q(next_billing_at__lte=as_of) | Q(next_advance_at__lte=as_of)


def invoices(*, invoice_ids: Sequence[int]) -> list[Invoice]:
    """The invoices by customer, locked with subscriptions and plans. The caller holds the customers'."""
    return _invoices(invoice_ids)


def _subscriptions(subscriptions: QuerySet[Subscription]) -> list[Subscription]:
    locked = subscriptions.select_for_update(no_key=True, of=("self",)).order_by("pk")
    found = list(locked.select_related("customer").prefetch_related(f"customer__{taxing.RELATED}"))
    _share_plans([each.pk for each in found])
    return found


def _invoices(invoice_ids: Sequence[int]) -> list[Invoice]:
    subscriptions = Subscription.objects.filter(service_periods__invoice__in=invoice_ids).order_by("pk")
    locked = subscriptions.select_for_update(no_key=True, of=("self",))
    _share_plans(list(locked.values_list("pk", flat=True)))
    found = Invoice.objects.select_for_update(of=("self",)).filter(pk__in=invoice_ids)
    ordered = found.select_related("customer").order_by("customer_id", "pk")
    return list(ordered.prefetch_related(f"customer__{taxing.RELATED}"))


def _share_plans(subscription_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_SHARE_PLANS, [list(subscription_ids)])


def _lock_customers(customers: QuerySet[Customer]) -> None:
    list(customers.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", flat=True))
