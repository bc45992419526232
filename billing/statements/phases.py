"""What a subscription is on at each instant of a period: phases, and the versions of their plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import versions
from billing.cycles import Cycle
from billing.documents import plan as plans
from billing.documents.nodes import PlanDocument
from billing.models import Plan, PlanVersion, Subscription, SubscriptionPhase
from metering.periods import Period


class StatementRefused(Exception):
    """What is due cannot be said until somebody has changed something; the message says what."""


class OutsideSubscription(StatementRefused):
    """The subscription does not run at any time of the period."""


class PlanChangesInsidePeriod(StatementRefused):
    """The subscription changes to another plan, or pauses, inside the period: that is not built yet."""


@dataclass(frozen=True)
class Stretch:
    """A part of a period with one version of the plan and one set of overrides; ``plan`` has them applied."""

    version: PlanVersion
    overrides: dict[str, Any]
    plan: PlanDocument
    period: Period


@dataclass(frozen=True)
class Piece:
    """A part of a billing period that has a statement of its own. ``period``: the whole billing period."""

    period: Period
    billed: Period
    is_trial: bool = False


def pieces(*, subscription: Subscription, period: Period) -> list[Piece]:
    """The pieces of a whole billing period in which the subscription runs, in order of time.

    Raises OutsideSubscription where it does not run at all.
    """
    return [Piece(period, billed_period(subscription=subscription, period=period))]


def piece_holding(*, subscription: Subscription, at: datetime) -> Piece:
    """The piece that holds the instant. Raises OutsideSubscription."""
    period = period_holding(subscription=subscription, at=at)
    for piece in pieces(subscription=subscription, period=period):
        if piece.billed.start <= at < piece.billed.end:
            return piece
    raise OutsideSubscription(f"{subscription.key} does not run at {at:%Y-%m-%d %H:%M} UTC.")


def period_holding(*, subscription: Subscription, at: datetime) -> Period:
    """The whole billing period of the subscription that holds the instant."""
    for phase in _phases(subscription):
        if phase.validity.upper is None or at < phase.validity.upper:
            return cycle(subscription, phase.plan).holding(at)
    raise OutsideSubscription(f"{subscription.key} has ended before {at:%Y-%m-%d %H:%M} UTC.")


def billed_period(*, subscription: Subscription, period: Period) -> Period:
    """The part of a period in which the subscription runs. Raises OutsideSubscription."""
    end = period.end if subscription.end_at is None else min(period.end, subscription.end_at)
    start = max(period.start, subscription.start_at)
    if start >= end:
        raise OutsideSubscription(
            f"{subscription.key} does not run from {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}."
        )
    return Period(start, end)


def stretches(*, subscription: Subscription, period: Period) -> list[Stretch]:
    """What the subscription is on during the whole of a period, in order of time, without gap.

    Raises PlanChangesInsidePeriod, versions.PlanNotInForce, and DocumentError for overrides that do not fit.
    """
    phases = _phases(subscription)
    inside = [(phase, part) for phase in phases if (part := validity(phase, period)) is not None]
    reached = period.start
    for phase, part in inside:
        if phase.plan_id != inside[0][0].plan_id or part.start != reached:
            raise PlanChangesInsidePeriod(
                f"{subscription.key} changes its plan or pauses at {part.start:%Y-%m-%d %H:%M} UTC, "
                "inside the billing period: that cannot be billed yet."
            )
        reached = part.end
    if reached != period.end:
        raise PlanChangesInsidePeriod(
            f"{subscription.key} has no plan from {reached:%Y-%m-%d %H:%M} UTC on: that cannot be billed yet."
        )
    joined_at = min(phase.validity.lower for phase in phases if phase.plan_id == inside[0][0].plan_id)
    return [stretch for phase, part in inside for stretch in _followed(subscription, phase, joined_at, part)]


def parts(*, subscription: Subscription, period: Period) -> list[Period]:
    """The parts of the period during which the subscription has a plan."""
    return [part for phase in _phases(subscription) if (part := validity(phase, period)) is not None]


def validity(phase: SubscriptionPhase, period: Period) -> Period | None:
    """The part of the period during which the phase lasts, or None."""
    lower, upper = phase.validity.lower, phase.validity.upper
    start, end = max(lower, period.start), period.end if upper is None else min(upper, period.end)
    return Period(start, end) if start < end else None


def cycle(subscription: Subscription, plan: Plan) -> Cycle:
    """The billing periods of the subscription while it is on the plan."""
    return Cycle(subscription.anchor_date, plan.interval, plan.interval_count, subscription.timezone)


def _phases(subscription: Subscription) -> list[SubscriptionPhase]:
    return sorted(subscription.phases.select_related("plan"), key=lambda phase: phase.validity.lower)


def _followed(
    subscription: Subscription, phase: SubscriptionPhase, joined_at: datetime, period: Period
) -> list[Stretch]:
    followed = versions.followed(
        versions=versions.of(phase.plan),
        joined_at=joined_at,
        period=period,
        cycle=cycle(subscription, phase.plan),
    )
    return [
        Stretch(
            version=each.version,
            overrides=phase.overrides,
            plan=plans.apply_overrides(versions.document(each.version), phase.overrides),
            period=each.period,
        )
        for each in followed
    ]
