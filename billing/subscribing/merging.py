"""Writes that one customer has taken over another one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing.models import Customer, CustomerSubject, Subscription
from billing.subscribing import assigning, checks, ending, locks
from billing.subscribing.refusals import CurrencyDiffers, MergedWithItself


@transaction.atomic
def merge(
    *,
    customer: Customer,
    into: Customer,
    effective_at: datetime,
    subscription: Subscription | None = None,
) -> Customer:
    """The customer, merged into another one, who pays for all its subjects from the instant on.

    Its subscriptions end then. ``subscription`` (of ``into``): which one is charged for the subjects; needed
    where several price the same meter. Invoices stay with whom they were made out to. Raises a
    SubscriptionRefused; then nothing has changed.
    """
    locked = locks.customers(ids=[customer.pk, into.pk])
    customer, into = locked[customer.pk], locked[into.pk]
    if customer.pk == into.pk:
        raise MergedWithItself(f"{customer.key} cannot be merged into itself.")
    for each in (customer, into):
        checks.not_merged(each)
    if customer.currency != into.currency:
        raise CurrencyDiffers(f"{customer.key} pays in {customer.currency}, {into.key} in {into.currency}.")
    rows = CustomerSubject.objects.filter(customer=customer)
    moving = rows.filter(validity__endswith__gt=effective_at) | rows.filter(validity__upper_inf=True)
    for row in moving.select_related("customer", "subscription").order_by("subject", "validity"):
        since = max(row.validity.lower, effective_at)
        assigning.check_payer(into, row.subject, DateTimeTZRange(since, row.validity.upper), subscription)
        assigning.check_not_invoiced(row, since)
        assigning.continued(row, since, into, subscription)
    for each in _running(customer.subscriptions.order_by("pk"), effective_at):
        ending.cancel(subscription=each, end_at=effective_at)
    customer.merged_into = into
    customer.save(update_fields=["merged_into"])
    return customer


def _running(subscriptions: Iterable[Subscription], at: datetime) -> list[Subscription]:
    return [each for each in subscriptions if each.end_at is None or each.end_at > at]
