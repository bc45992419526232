"""Whose usage a subscription is charged for, from when to when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import timelines
from billing.models import CustomerSubject, Subscription
from billing.statements import phases
from billing.statements.phases import StatementRefused
from billing.timelines import Piece, Timeline
from billing.versions import Published
from metering.periods import Period

Span = tuple[str, Period]


class SubjectsNotAssigned(StatementRefused):
    """Two subscriptions of a customer price a meter, and nobody said which one pays for a subject."""


@dataclass(frozen=True)
class Other:
    """Another subscription of a customer: when it prices which meters."""

    subscription: Subscription
    timeline: Timeline

    def priced(self, period: Period, published: Published) -> Iterator[tuple[str, Period, frozenset[str]]]:
        """Its key, a stretch of the period, and the meters that it prices then."""
        for stretch in phases.stretches(timeline=self.timeline, period=period, published=published):
            yield self.subscription.key, stretch.period, stretch.plan.meters()


class Payers:
    """Who pays for which subject, for some customers from an instant on; read with few SQL statements."""

    def __init__(self, *, customer_ids: Sequence[int], period: Period) -> None:
        self._subjects: dict[int, list[CustomerSubject]] = defaultdict(list)
        rows = CustomerSubject.objects.filter(
            customer_id__in=customer_ids, validity__overlap=DateTimeTZRange(period.start, period.end)
        )
        for row in rows.order_by("subject", "validity"):
            self._subjects[row.customer_id].append(row)
        self._others = self._read_others(period)

    @property
    def timelines(self) -> list[Timeline]:
        """The timelines of all subscriptions of customers that have a subject without one."""
        return [other.timeline for others in self._others.values() for other in others]

    def spans(
        self, *, subscription: Subscription, piece: Piece, meters: Sequence[str], published: Published
    ) -> dict[str, list[Span]]:
        """By meter, the subjects whose usage is charged to the subscription, and when, without its pauses.

        A subject that is assigned to no subscription belongs to the customer's only one that prices the
        meter. Raises SubjectsNotAssigned where there are two at some instant.
        """
        rows = [
            (row, within)
            for row in self._subjects[subscription.customer_id]
            if row.subscription_id in (None, subscription.pk)
            if (within := timelines.period_of(row.validity).intersect(piece.billed)) is not None
        ]
        unassigned = [(row.subject, within) for row, within in rows if row.subscription_id is None]
        if unassigned:
            self._check_only_one(subscription, piece.billed, unassigned, meters, published)
        found = [
            (row.subject, part)
            for row, within in rows
            for each in piece.parts
            if (part := each.intersect(within)) is not None
        ]
        return dict.fromkeys(meters, found)

    def _check_only_one(
        self,
        subscription: Subscription,
        billed: Period,
        unassigned: Sequence[Span],
        meters: Sequence[str],
        published: Published,
    ) -> None:
        others = [
            each for each in self._others[subscription.customer_id] if each.subscription != subscription
        ]
        priced = [each for other in others for each in other.priced(billed, published)]
        for subject, within in unassigned:
            for key, period, also in priced:
                shared = sorted(also.intersection(meters)) if period.intersect(within) else []
                if shared:
                    raise SubjectsNotAssigned(
                        f"{subscription.key} and {key} both price {shared[0]}: "
                        f"say which of them is charged for the subject {subject}."
                    )

    def _read_others(self, period: Period) -> Mapping[int, list[Other]]:
        found: dict[int, list[Other]] = defaultdict(list)
        ids = [
            customer
            for customer, rows in self._subjects.items()
            if any(row.subscription_id is None for row in rows)
        ]
        overlapping = DateTimeTZRange(period.start, period.end)
        running = Subscription.objects.filter(customer_id__in=ids, phases__validity__overlap=overlapping)
        subscriptions = list(running.distinct().order_by("pk")) if ids else []
        known = timelines.of_many(subscriptions) if subscriptions else {}
        for each in subscriptions:
            found[each.customer_id].append(Other(each, known[each.pk]))
        return found
