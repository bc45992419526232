"""Keeps what is due next right when a subscription's life has changed."""

from __future__ import annotations

from datetime import datetime

from billing import timelines
from billing.models import ServicePeriod, Subscription
from billing.subscribing.refusals import FeesInvoicedInAdvance
from billing.timelines import Timeline
from metering.periods import format_instant

_DUE = ("next_billing_at", "next_advance_at")


def begin(subscription: Subscription) -> None:
    """Saves when a new subscription is due for the first time."""
    timeline = timelines.of(subscription)
    subscription.next_billing_at = timeline.next_billing_at(subscription.start_at)
    subscription.next_advance_at = timeline.next_advance_at(subscription.start_at)
    subscription.save(update_fields=_DUE)


def settle(subscription: Subscription, *, before: Timeline, since: datetime) -> None:
    """Saves what is due next after a change that takes effect at ``since``; ``before`` is how it was.

    Raises FeesInvoicedInAdvance.
    """
    after = timelines.of(subscription)
    _check_advance(subscription, after, since)
    if subscription.next_billing_at is not None:
        due = before.cycles.ending(subscription.next_billing_at).actual
        subscription.next_billing_at = after.next_billing_at(max(due.start, subscription.start_at))
    looked_at = subscription.next_advance_at
    subscription.next_advance_at = after.next_advance_at(min(looked_at, since) if looked_at else since)
    subscription.save(update_fields=_DUE)


def _check_advance(subscription: Subscription, after: Timeline, since: datetime) -> None:
    """What was invoiced in advance is settled with the period's pieces in arrears: there must be one."""
    invoiced = ServicePeriod.objects.filter(
        subscription=subscription, part=ServicePeriod.Part.ADVANCE, is_void=False, end_at__gt=since
    )
    for each in invoiced.select_related("invoice").order_by("start_at"):
        if not after.pieces(each.start_at):
            raise FeesInvoicedInAdvance(
                f"Nothing would be left of the period from {format_instant(each.start_at)} of "
                f"{subscription.key}, whose fees are on {each.invoice}: void that invoice first, or let the "
                "change take effect later."
            )
