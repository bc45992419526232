"""Writes who is on which plan from when on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing.models import Customer, Plan, Subscription, SubscriptionCycle, SubscriptionPhase
from billing.subscribing import checks, dues, locks, recounting
from billing.subscribing.refusals import (
    PhasesOutOfOrder,
    SubscriptionEndsBeforeItsStart,
    SubscriptionKeyTaken,
    TrialEndsBeforeItsStart,
)
from metering import periods


@dataclass(frozen=True)
class Agreed:
    """A phase that is agreed from the beginning: a plan with overrides, from an instant on."""

    plan: Plan
    start_at: datetime
    overrides: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def subscribe(
    *,
    customer: Customer,
    plan: Plan,
    key: str,
    start_at: datetime,
    end_at: datetime | None = None,
    trial_end_at: datetime | None = None,
    anchor_date: date | None = None,
    overrides: Mapping[str, Any] | None = None,
    then: Sequence[Agreed] = (),
    at: datetime,
) -> Subscription:
    """A new subscription, due for its first invoice at the end of its first billing period.

    ``trial_end_at``: until then usage is free and fees are not due. ``anchor_date``: the local date from
    which billing periods are counted; by default they are those of the calendar. ``overrides``: by component
    code, as in a plan's reference page. ``then``: the phases that follow the one on ``plan``. Raises a
    SubscriptionRefused, versions.PlanNotInForce, or DocumentError for overrides that do not fit the plan.
    """
    customer = locks.customer(customer_id=customer.pk)
    agreed = [Agreed(plan, start_at, overrides or {}), *then]
    locks.share_plans(plan_ids=[each.plan.pk for each in agreed])
    checks.not_merged(customer)
    if end_at is not None and end_at <= start_at:
        raise SubscriptionEndsBeforeItsStart(
            f"The subscription {key} would end before it starts, or at once."
        )
    if trial_end_at is not None and trial_end_at <= start_at:
        raise TrialEndsBeforeItsStart(f"The trial of {key} would end before it starts, or at once.")
    validities = _validities(agreed, end_at)
    for each, validity in zip(agreed, validities, strict=True):
        checks.can_be_on(customer=customer, plan=each.plan, overrides=each.overrides, validity=validity)
        checks.subjects_are_assigned(customer=customer, plan=each.plan, key=key, validity=validity)
    first_day = start_at.astimezone(ZoneInfo(customer.timezone)).date()
    made = _saved(
        Subscription(
            key=key,
            customer=customer,
            anchor_date=anchor_date or periods.calendar_anchor(first_day, plan.interval),
            timezone=customer.timezone,
            start_at=start_at,
            end_at=end_at,
            trial_end_at=trial_end_at,
            created_at=at,
        )
    )
    _save_phases(made, agreed, validities)
    dues.begin(made)
    return made


def _validities(agreed: Sequence[Agreed], end_at: datetime | None) -> list[DateTimeTZRange]:
    starts = [each.start_at for each in agreed]
    ends = [*starts[1:], end_at]
    if any(end is not None and end <= start for start, end in zip(starts, ends, strict=True)):
        raise PhasesOutOfOrder("Each phase must begin after the one before it, and before the end.")
    return [DateTimeTZRange(start, end) for start, end in zip(starts, ends, strict=True)]


def _saved(made: Subscription) -> Subscription:
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        if checks.constraint(error) != "billing_subscription_key_key":
            raise
        raise SubscriptionKeyTaken(f"There is a subscription with the key {made.key} already.") from error
    return made


def _save_phases(made: Subscription, agreed: Sequence[Agreed], validities: Sequence[DateTimeTZRange]) -> None:
    first = agreed[0].plan
    SubscriptionCycle.objects.create(
        subscription=made,
        start_at=made.start_at,
        anchor_date=made.anchor_date,
        timezone=made.timezone,
        interval=first.interval,
        interval_count=first.interval_count,
    )
    for each, validity in zip(agreed, validities, strict=True):
        recounting.count_by(subscription=made, plan=each.plan, since=each.start_at)
        SubscriptionPhase.objects.create(
            subscription=made, plan=each.plan, validity=validity, overrides=dict(each.overrides)
        )
