"""What a customer's invoice would be now: the statements of the running periods, from usage so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from billing import statements
from billing.models import Customer, Subscription
from billing.rating import Statement
from metering.periods import Period


@dataclass(frozen=True)
class Preview:
    """What a subscription would be charged for a piece of its running period if nothing more came.

    Minimums and fees of the whole piece are in it, unless ``is_final`` was false. ``statement`` is None where
    it cannot be said, for ``reason``.
    """

    subscription: Subscription
    billed: Period
    statement: Statement | None
    reason: str = ""


def of(*, customer: Customer, at: datetime, is_final: bool = True) -> list[Preview]:
    """A preview for each piece, begun by ``at``, of the running period of each subscription, in their order.

    A subscription that rests all of its period has none.
    """
    running = Q(end_at__isnull=True) | Q(end_at__gt=at)
    subscriptions = customer.subscriptions.filter(running, start_at__lte=at).order_by("start_at", "pk")
    requests = [
        statements.Request(subscription, piece, at, is_final=is_final)
        for subscription in subscriptions.select_related("customer")
        for piece in statements.pieces(
            subscription=subscription,
            period=statements.period_holding(subscription=subscription, at=at),
        )
        if piece.billed.start <= at
    ]
    outcomes = statements.of_many(requests)
    return [_preview(request, outcome) for request, outcome in zip(requests, outcomes, strict=True)]


def _preview(request: statements.Request, outcome: statements.Rated | Exception) -> Preview:
    if isinstance(outcome, Exception):
        return Preview(request.subscription, request.piece.billed, None, str(outcome))
    return Preview(request.subscription, request.piece.billed, outcome.statement)
