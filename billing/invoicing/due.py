"""What is due at an instant: which parts of which pieces, gathered into one bill for each customer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from billing.models import Customer, ServicePeriod, Subscription
from billing.timelines import END_OF_TIME, Piece, Timeline
from metering.periods import MICROSECOND

ADVANCE, ARREARS = ServicePeriod.Part.ADVANCE, ServicePeriod.Part.ARREARS


@dataclass(frozen=True)
class Want:
    """One part of a piece of a subscription's billing period that is to be invoiced.

    ``part`` ADVANCE: its fees in advance, due at its start; ARREARS: all the rest, due at the period's end.
    """

    subscription: Subscription
    piece: Piece
    part: str


@dataclass(frozen=True)
class Bill:
    """What one invoice is to hold: everything of a customer that falls due at the same instant."""

    customer: Customer
    at: datetime
    subscriptions: tuple[Subscription, ...]
    wants: tuple[Want, ...]


def bills(
    *,
    subscriptions: Sequence[Subscription],
    timelines: Mapping[int, Timeline],
    as_of: datetime,
    advance_plans: Collection[int],
) -> list[Bill]:
    """The earliest bill of each customer, by customer, of what was due by ``as_of``.

    ``advance_plans``: ids of plans that may have fees in advance. What of a customer falls due later by then
    is left for another bill. Subscriptions are moved on past instants at which nothing of them is due.
    """
    for each in subscriptions:
        _pass_by(each, timelines[each.pk], as_of, advance_plans)
    open_ones = [each for each in subscriptions if due_at(each) <= as_of]
    ordered = sorted(open_ones, key=lambda each: (each.customer_id, due_at(each), each.pk))
    found = []
    for _customer_id, own in groupby(ordered, key=lambda each: each.customer_id):
        (at, together), *_later = [(at, tuple(group)) for at, group in groupby(own, key=due_at)]
        wants = tuple(
            want for each in together for want in _wants(each, timelines[each.pk], at, advance_plans)
        )
        found.append(Bill(together[0].customer, at, together, wants))
    return found


def due_at(subscription: Subscription) -> datetime:
    """The instant at which something of the subscription may fall due next; END_OF_TIME if never again."""
    instants = (subscription.next_billing_at, subscription.next_advance_at)
    return min((each for each in instants if each is not None), default=END_OF_TIME)


def _pass_by(
    subscription: Subscription, timeline: Timeline, as_of: datetime, advance_plans: Collection[int]
) -> None:
    at = due_at(subscription)
    while at <= as_of and not any(_wants(subscription, timeline, at, advance_plans)):
        move_on(subscription=subscription, timeline=timeline, at=at)
        at = due_at(subscription)


def move_on(*, subscription: Subscription, timeline: Timeline, at: datetime) -> None:
    """Sets, without saving, what is due next once everything that was due at the instant is billed."""
    if subscription.next_billing_at == at:
        subscription.next_billing_at = timeline.next_billing_at(at)
    if subscription.next_advance_at == at:
        subscription.next_advance_at = timeline.next_advance_at(at + MICROSECOND)


def _wants(
    subscription: Subscription, timeline: Timeline, at: datetime, advance_plans: Collection[int]
) -> Iterator[Want]:
    if subscription.next_billing_at == at:
        for piece in timeline.pieces(at - MICROSECOND):
            yield Want(subscription, piece, ARREARS)
    if subscription.next_advance_at == at:
        piece = timeline.piece_holding(at)
        phase = timeline.phase_at(at)
        if piece is not None and phase is not None and phase.plan_id in advance_plans:
            yield Want(subscription, piece, ADVANCE)
