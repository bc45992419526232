"""The locks of contracts, in the order that invoicing keeps, too: customers, subscriptions, plans.

While a customer is locked nobody drafts or finalizes an invoice of theirs; while a plan is shared nobody
publishes a version of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from billing.models import Customer, Plan, Subscription


def customers(*, ids: Iterable[int]) -> dict[int, Customer]:
    """The customers by id, locked in the order of ids: no two transactions wait for each other."""
    locked = Customer.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=set(ids))
    return {each.pk: each for each in locked.select_related("merged_into").order_by("pk")}


def customer(*, customer_id: int) -> Customer:
    """The customer, locked."""
    return customers(ids=[customer_id])[customer_id]


def subscription(*, subscription_id: int, plans: Iterable[Plan] = ()) -> Subscription:
    """The subscription, locked after its customer; its plans and ``plans`` are shared until the commit."""
    owner = Subscription.objects.values_list("customer_id", flat=True).get(pk=subscription_id)
    payer = customer(customer_id=owner)
    locked = Subscription.objects.select_for_update(no_key=True, of=("self",)).get(pk=subscription_id)
    locked.customer = payer
    share_plans(plan_ids={*locked.phases.values_list("plan_id", flat=True), *(plan.pk for plan in plans)})
    return locked


def share_plans(*, plan_ids: Iterable[int]) -> None:
    """Keeps versions of the plans from being published until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select id from billing_plan where id = any(%s) order by id for share", [sorted(set(plan_ids))]
        )
