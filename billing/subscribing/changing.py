"""Writes other terms of a subscription from an instant on: another plan, other overrides or quantities."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import timelines, versions
from billing.models import Plan, Subscription, SubscriptionPhase
from billing.subscribing import checks, dues, locks, recounting
from billing.subscribing.refusals import NothingChanges
from metering.periods import Period, format_instant


@transaction.atomic
def change_plan(
    *,
    subscription: Subscription,
    plan: Plan,
    effective_at: datetime,
    overrides: Mapping[str, Any] | None = None,
) -> Subscription:
    """The subscription on another plan from the instant on, up to its end.

    It takes the version that is in force then, with ``overrides`` and none of those of the plan before.
    Whatever was agreed for later is replaced. Tiers and allowances of the new plan count from zero. Raises a
    SubscriptionRefused, versions.PlanNotInForce or DocumentError.
    """
    subscription = locks.subscription(subscription_id=subscription.pk, plans=[plan])
    checks.not_merged(subscription.customer)
    _check_open(subscription, effective_at)
    before = timelines.of(subscription)
    phase = before.phase_at(effective_at)
    if phase and (phase.plan_id, phase.overrides, phase.period.end) == (
        plan.pk,
        dict(overrides or {}),
        before.life.end,
    ):
        raise NothingChanges(
            f"{subscription.key} is on {plan.code} already at {format_instant(effective_at)}."
        )
    validity = DateTimeTZRange(effective_at, subscription.end_at)
    checks.can_be_on(customer=subscription.customer, plan=plan, overrides=overrides or {}, validity=validity)
    checks.subjects_are_assigned(
        customer=subscription.customer,
        plan=plan,
        key=subscription.key,
        validity=validity,
        subscription_id=subscription.pk,
    )
    cut(subscription, effective_at)
    SubscriptionPhase.objects.create(
        subscription=subscription, plan=plan, validity=validity, overrides=dict(overrides or {})
    )
    recounting.count_by(subscription=subscription, plan=plan, since=effective_at)
    dues.settle(subscription, before=before, since=effective_at)
    return subscription


@transaction.atomic
def change_overrides(
    *, subscription: Subscription, overrides: Mapping[str, Any], effective_at: datetime
) -> Subscription:
    """The subscription on its plan with these overrides, and no others, from the instant on.

    They hold until the next phase that was agreed. Inside a period each stretch counts by its share of time;
    tiers go on counting. Raises a SubscriptionRefused, or DocumentError for overrides that do not fit.
    """
    subscription = locks.subscription(subscription_id=subscription.pk)
    _check_open(subscription, effective_at)
    before = timelines.of(subscription)
    phase = _row_at(subscription, effective_at)
    if phase.overrides == dict(overrides):
        raise NothingChanges(f"{subscription.key} has these overrides already.")
    _check_fitting(subscription, phase, overrides, effective_at)
    validity = DateTimeTZRange(effective_at, phase.validity.upper)
    if phase.validity.lower == effective_at:
        phase.overrides = dict(overrides)
        phase.save(update_fields=["overrides"])
    else:
        phase.validity = DateTimeTZRange(phase.validity.lower, effective_at)
        phase.save(update_fields=["validity"])
        SubscriptionPhase.objects.create(
            subscription=subscription, plan=phase.plan, validity=validity, overrides=dict(overrides)
        )
    dues.settle(subscription, before=before, since=effective_at)
    return subscription


def change_quantity(
    *, subscription: Subscription, component: str, quantity: str, effective_at: datetime
) -> Subscription:
    """The subscription with another quantity of a fixed component from the instant on, otherwise unchanged.

    Raises as `change_overrides` does.
    """
    with transaction.atomic():
        subscription = locks.subscription(subscription_id=subscription.pk)
        checks.runs_at(subscription, effective_at)
        overrides = dict(_row_at(subscription, effective_at).overrides)
        overrides[component] = {**overrides.get(component, {}), "quantity": quantity}
        return change_overrides(subscription=subscription, overrides=overrides, effective_at=effective_at)


def cut(subscription: Subscription, at: datetime) -> None:
    """Ends the phase that holds the instant there, and drops the later ones. The caller holds the lock."""
    subscription.phases.filter(validity__startswith__gte=at).delete()
    for phase in subscription.phases.filter(validity__contains=at):
        phase.validity = DateTimeTZRange(phase.validity.lower, at)
        phase.save(update_fields=["validity"])


def _check_open(subscription: Subscription, effective_at: datetime) -> None:
    checks.runs_at(subscription, effective_at)
    checks.not_finalized(subscription, effective_at)


def _check_fitting(
    subscription: Subscription, phase: SubscriptionPhase, overrides: Mapping[str, Any], effective_at: datetime
) -> None:
    """Raises DocumentError unless the version that holds then, and those after it, take the overrides."""
    timeline = timelines.of(subscription)
    agreed = timeline.phase_at(effective_at)
    assert agreed is not None  # the row was found
    for stretch in versions.followed(
        versions=versions.of(phase.plan),
        joined_at=timeline.joined_at(agreed),
        period=Period(effective_at, agreed.period.end),
        cycle=timeline.cycles,
    ):
        checks.fitting(versions.document(stretch.version), overrides)


def _row_at(subscription: Subscription, at: datetime) -> SubscriptionPhase:
    return subscription.phases.select_related("plan").get(validity__contains=at)
