"""What a subscription is on at each instant of a piece: versions of its plan, with its overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import timelines, versions
from billing.documents.nodes import PlanDocument
from billing.models import PlanVersion, Subscription
from billing.timelines import Piece, Timeline
from billing.versions import Published
from metering.periods import Period


class StatementRefused(Exception):
    """What is due cannot be said until somebody has changed something; the message says what."""


class OutsideSubscription(StatementRefused):
    """The subscription does not run at any time of the period."""


@dataclass(frozen=True)
class Stretch:
    """A part of a piece with one version of the plan and one set of overrides; ``plan`` has them applied."""

    version: PlanVersion
    overrides: Mapping[str, Any]
    plan: PlanDocument
    period: Period


def pieces(*, subscription: Subscription, period: Period, timeline: Timeline | None = None) -> list[Piece]:
    """The pieces of a billing period in which the subscription is charged, in order of time.

    ``period``: as `period_holding` gives it. ``timeline``: where it is known already. Empty where the
    subscription rests all the time. Raises OutsideSubscription where it does not run at all.
    """
    timeline = timeline or timelines.of(subscription)
    if timeline.life.intersect(period) is None:
        raise OutsideSubscription(
            f"{subscription.key} does not run from {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d}."
        )
    return timeline.pieces(period.start)


def piece_holding(*, subscription: Subscription, at: datetime, timeline: Timeline | None = None) -> Piece:
    """The piece that holds the instant. Raises OutsideSubscription, also for an instant in a pause."""
    found = (timeline or timelines.of(subscription)).piece_holding(at)
    if found is None:
        raise OutsideSubscription(f"{subscription.key} does not run at {at:%Y-%m-%d %H:%M} UTC.")
    return found


def period_holding(*, subscription: Subscription, at: datetime, timeline: Timeline | None = None) -> Period:
    """The billing period of the subscription that holds the instant.

    It is cut where another time zone, anchor or interval begins, not where the subscription begins. Raises
    OutsideSubscription after the subscription's end.
    """
    timeline = timeline or timelines.of(subscription)
    if at >= timeline.life.end:
        raise OutsideSubscription(f"{subscription.key} has ended before {at:%Y-%m-%d %H:%M} UTC.")
    return timeline.cycles.holding(at).actual


def stretches(*, timeline: Timeline, period: Period, published: Published) -> list[Stretch]:
    """What the subscription is on during a period, in order of time, also under pauses.

    Raises versions.PlanNotInForce, and DocumentError for overrides that do not fit.
    """
    found = []
    for phase in timeline.phases:
        part = phase.period.intersect(period)
        for each in (
            ()
            if part is None
            else versions.followed(
                versions=published.of(phase.plan_id),
                joined_at=timeline.joined_at(phase),
                period=part,
                cycle=timeline.cycles,
            )
        ):
            overrides = phase.overrides or {}
            plan = published.document(each.version, overrides)
            found.append(Stretch(each.version, overrides, plan, each.period))
    return found
