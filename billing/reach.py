"""Whom a new version of a plan would reach: the subscriptions that move to it, and from when on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from billing import timelines
from billing.cycles import Cycles
from billing.models import PlanVersion, Subscription, SubscriptionPhase

SHOWN_MAX = 50


@dataclass(frozen=True)
class Move:
    """A subscription that moves to the version, and the instant from which the version holds for it."""

    subscription: Subscription
    at: datetime


@dataclass(frozen=True)
class Reach:
    """How many subscriptions move, and the first `SHOWN_MAX` of them by customer and key."""

    count: int
    moves: tuple[Move, ...]

    @property
    def hidden(self) -> int:
        """How many more there are than are named."""
        return self.count - len(self.moves)


def of(*, code: str, migration: str, effective_at: datetime) -> Reach:
    """The subscriptions on the plan ``code`` that a version would take over from ``effective_at`` on.

    None move where the migration is NEVER, or nobody is on the plan; one that ends before it would move, does
    not.
    """
    if migration == PlanVersion.Migration.NEVER:
        return Reach(0, ())
    lasting = Q(validity__upper_inf=True) | Q(validity__endswith__gt=effective_at)
    phases = SubscriptionPhase.objects.filter(lasting, plan__code=code).select_related(
        "subscription__customer"
    )
    rows = list(phases.order_by("subscription__customer__name", "subscription__key", "validity"))
    cycles = timelines.of_many([phase.subscription for phase in rows])
    moves: dict[int, Move] = {}
    for phase in rows:
        at = _moved_at(cycles[phase.subscription_id].cycles, migration, effective_at)
        if phase.validity.upper is None or at < phase.validity.upper:
            moves.setdefault(phase.subscription_id, Move(phase.subscription, max(at, phase.validity.lower)))
    return Reach(len(moves), tuple(moves.values())[:SHOWN_MAX])


def _moved_at(cycles: Cycles, migration: str, effective_at: datetime) -> datetime:
    if migration == PlanVersion.Migration.AT_ONCE:
        return effective_at
    return cycles.start_from(effective_at)
