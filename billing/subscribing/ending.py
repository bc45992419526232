"""Writes the end of subscriptions, and takes an end back that has not come yet."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import timelines
from billing.models import Subscription
from billing.subscribing import changing, checks, dues, locks
from billing.subscribing.refusals import (
    NothingChanges,
    SubscriptionEnded,
    SubscriptionEndsBeforeItsStart,
)
from metering.periods import format_instant


@transaction.atomic
def cancel(*, subscription: Subscription, end_at: datetime) -> Subscription:
    """The subscription, which ends at the instant: now, or with `period_end` at the end of its period.

    Fees are due for the share of its last period; what was invoiced in advance for the rest is given back
    with the last invoice. Raises a SubscriptionRefused.
    """
    subscription = locks.subscription(subscription_id=subscription.pk)
    if end_at <= subscription.start_at:
        raise SubscriptionEndsBeforeItsStart(
            f"{subscription.key} starts at {format_instant(subscription.start_at)}; it cannot end before."
        )
    checks.runs_at(subscription, end_at)
    checks.not_finalized(subscription, end_at)
    before = timelines.of(subscription)
    changing.cut(subscription, end_at)
    subscription.pauses.filter(validity__startswith__gte=end_at).delete()
    subscription.cycles.filter(start_at__gte=end_at).delete()
    subscription.end_at = end_at
    subscription.save(update_fields=["end_at"])
    dues.settle(subscription, before=before, since=end_at)
    return subscription


@transaction.atomic
def keep(*, subscription: Subscription, at: datetime) -> Subscription:
    """The subscription without an end: a cancellation that has not come into effect is taken back.

    It goes on with its last phase. ``at``: now. Raises NothingChanges, SubscriptionEnded, or
    SubjectsNotAssigned.
    """
    subscription = locks.subscription(subscription_id=subscription.pk)
    end_at = subscription.end_at
    if end_at is None:
        raise NothingChanges(f"{subscription.key} has no end.")
    if end_at <= at or subscription.next_billing_at is None:
        raise SubscriptionEnded(f"{subscription.key} has ended at {format_instant(end_at)}.")
    before = timelines.of(subscription)
    last = subscription.phases.select_related("plan").get(validity__endswith=end_at)
    checks.not_merged(subscription.customer)
    checks.subjects_are_assigned(
        customer=subscription.customer,
        plan=last.plan,
        key=subscription.key,
        validity=DateTimeTZRange(end_at, None),
        subscription_id=subscription.pk,
    )
    last.validity = DateTimeTZRange(last.validity.lower, None)
    last.save(update_fields=["validity"])
    subscription.end_at = None
    subscription.save(update_fields=["end_at"])
    dues.settle(subscription, before=before, since=end_at)
    return subscription


def period_end(*, subscription: Subscription, at: datetime) -> datetime:
    """The end of the billing period that holds the instant, or of the subscription if that comes first."""
    timeline = timelines.of(subscription)
    return min(timeline.cycles.holding(max(at, timeline.life.start)).actual.end, timeline.life.end)
