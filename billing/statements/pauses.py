"""Which usage lies in pauses: nobody is charged for it, and somebody should see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billing import timelines
from billing.models import Customer, CustomerSubject, Subscription
from billing.statements import phases
from billing.timelines import Timeline
from billing.versions import Published
from metering.periods import Period


@dataclass(frozen=True)
class Paused:
    """A stretch in which a subject's usage of the meters (sorted slugs) is not charged: who pays rests."""

    subscription: Subscription
    subject: str
    period: Period
    meters: tuple[str, ...]


def paused(*, period: Period, customer: Customer | None = None) -> list[Paused]:
    """The stretches of subjects that lie in pauses during the period, of all customers or of one.

    By subscription, subject and time. A subject that is assigned to no subscription rests with each one of
    its payer's. Five SQL statements, however many there are.
    """
    resting = Subscription.objects.filter(pauses__validity__overlap=timelines.range_of(period))
    if customer is not None:
        resting = resting.filter(customer=customer)
    subscriptions = list(resting.distinct().order_by("key"))
    known = timelines.of_many(subscriptions) if subscriptions else {}
    published = Published({phase.plan_id for timeline in known.values() for phase in timeline.phases})
    rows = CustomerSubject.objects.filter(
        customer__in={each.customer_id for each in subscriptions},
        validity__overlap=timelines.range_of(period),
    )
    subjects = list(rows.order_by("subject", "validity"))
    return [
        found
        for subscription in subscriptions
        for row in subjects
        if row.customer_id == subscription.customer_id
        if row.subscription_id in (None, subscription.pk)
        for found in _of(subscription, known[subscription.pk], row, period, published)
    ]


def _of(
    subscription: Subscription, timeline: Timeline, row: CustomerSubject, period: Period, published: Published
) -> Iterator[Paused]:
    paid = timelines.period_of(row.validity).intersect(period)
    for pause in timeline.pauses:
        resting = pause.intersect(timeline.life)
        inside = resting.intersect(paid) if resting and paid else None
        if inside is not None:
            found = phases.stretches(timeline=timeline, period=inside, published=published)
            meters = frozenset().union(*(stretch.plan.meters() for stretch in found))
            if meters:
                yield Paused(subscription, row.subject, inside, tuple(sorted(meters)))
