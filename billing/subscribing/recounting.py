"""Writes how billing periods are counted: another time zone, another anchor, or another interval.

A time zone and an anchor change with the next period: the one that runs keeps its bounds, the next one runs
from its end to the first bound that the new cycle gives. An interval changes with the plan, at once.
"""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from billing import timelines
from billing.cycles import Cycle
from billing.models import Customer, Plan, ServicePeriod, Subscription, SubscriptionCycle
from billing.models.customer import check_timezone
from billing.subscribing import checks, dues, locks
from billing.subscribing.refusals import NothingChanges, PeriodFinalized, TimezoneUnknown
from billing.timelines import Timeline
from metering import periods
from metering.periods import format_instant


@transaction.atomic
def change_timezone(*, customer: Customer, timezone: str, at: datetime) -> Customer:
    """The customer in another time zone; their subscriptions are counted in it from their next periods on.

    ``at``: now. Raises TimezoneUnknown, and PeriodFinalized where a next period is invoiced already.
    """
    try:
        check_timezone(timezone)
    except ValidationError as error:
        raise TimezoneUnknown(" ".join(error.messages)) from error
    customer = locks.customer(customer_id=customer.pk)
    customer.timezone = timezone
    customer.save(update_fields=["timezone"])
    for subscription in customer.subscriptions.select_for_update(no_key=True).order_by("pk"):
        is_over = subscription.end_at is not None and subscription.end_at <= at
        if not is_over and subscription.timezone != timezone:
            _recount(subscription, at, timezone=timezone)
    return customer


@transaction.atomic
def change_anchor(*, subscription: Subscription, anchor_date: date, at: datetime) -> Subscription:
    """The subscription, whose periods are counted from another date from the next one on.

    ``at``: now. Raises SubscriptionEnded, NothingChanges, and PeriodFinalized where the next period is
    invoiced already.
    """
    subscription = locks.subscription(subscription_id=subscription.pk)
    checks.runs_at(subscription, max(at, subscription.start_at))
    if subscription.anchor_date == anchor_date:
        raise NothingChanges(f"{subscription.key} is counted from {anchor_date} already.")
    _recount(subscription, at, anchor_date=anchor_date)
    return subscription


def _recount(
    subscription: Subscription, at: datetime, *, anchor_date: date | None = None, timezone: str | None = None
) -> None:
    before = timelines.of(subscription)
    since = _next_start(subscription, before, at)
    subscription.anchor_date = anchor_date or subscription.anchor_date
    subscription.timezone = timezone or subscription.timezone
    subscription.save(update_fields=["anchor_date", "timezone"])
    if subscription.end_at is not None and since >= subscription.end_at:
        return
    _check_not_invoiced(subscription, since)
    in_force = before.cycles.holding(since).cycle
    subscription.cycles.filter(start_at__gt=since).update(timezone=subscription.timezone)
    _replace_from(
        subscription,
        since,
        dataclasses.replace(
            in_force, anchor_date=anchor_date or in_force.anchor_date, timezone=subscription.timezone
        ),
    )
    dues.settle(subscription, before=before, since=since)


def _next_start(subscription: Subscription, timeline: Timeline, at: datetime) -> datetime:
    """The start of the next period; of a subscription that has not begun, of the first one."""
    if at <= subscription.start_at:
        return subscription.start_at
    return timeline.cycles.start_from(at)


def _check_not_invoiced(subscription: Subscription, since: datetime) -> None:
    standing = ServicePeriod.objects.filter(subscription=subscription, is_void=False, end_at__gt=since)
    found = standing.select_related("invoice").order_by("-end_at").first()
    if found is not None:
        raise PeriodFinalized(
            f"{subscription.key} has the invoice {found.invoice} for a time after {format_instant(since)} "
            "already: void that first, or change it in the next period."
        )


def count_by(*, subscription: Subscription, plan: Plan, since: datetime) -> None:
    """Counts the periods by the plan's interval from the instant on, at which the plan begins.

    Where the interval changes, calendar periods stay those of the calendar, others are counted from the local
    date of the change. Cycles that were agreed for later and have another interval are dropped. For a
    subscription whose lock the caller holds.
    """
    interval = (plan.interval, plan.interval_count)
    in_force = timelines.of(subscription).cycles.holding(since).cycle
    later = subscription.cycles.filter(start_at__gte=since)
    if interval == (in_force.interval, in_force.interval_count):
        later.exclude(start_at=since).exclude(
            interval=plan.interval, interval_count=plan.interval_count
        ).delete()
        return
    day = since.astimezone(ZoneInfo(subscription.timezone)).date()
    anchor = periods.calendar_anchor(day, plan.interval) if in_force.is_calendar else day
    later.delete()
    subscription.anchor_date = anchor
    subscription.save(update_fields=["anchor_date"])
    _replace_from(subscription, since, Cycle(anchor, *interval, subscription.timezone))


def _replace_from(subscription: Subscription, since: datetime, cycle: Cycle) -> None:
    SubscriptionCycle.objects.update_or_create(
        subscription=subscription, start_at=since, defaults=dataclasses.asdict(cycle)
    )
