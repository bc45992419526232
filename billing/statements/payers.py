"""Whose usage a subscription is charged for, from when to when."""

from __future__ import annotations

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from billing.models import CustomerSubject, Subscription
from billing.statements import phases
from billing.statements.phases import StatementRefused
from metering.periods import Period

Span = tuple[str, Period]


class SubjectsNotAssigned(StatementRefused):
    """Two subscriptions of a customer price a meter, and nobody said which one pays for a subject."""


class Payer:
    """A subscription during a period, as the payer of subjects."""

    def __init__(self, *, subscription: Subscription, period: Period) -> None:
        self._subscription = subscription
        self._period = period
        self._spans = self._read_spans()
        self._others = self._read_others() if any(not is_assigned for _, is_assigned in self._spans) else []

    def spans(self, meter: str) -> list[Span]:
        """The subjects whose usage of the meter is charged, and when; spans of a subject do not overlap.

        A subject that is assigned to no subscription belongs to the customer's only one that prices the
        meter. Raises SubjectsNotAssigned where there are two at some instant.
        """
        for (subject, period), is_assigned in self._spans:
            for key, priced, meters in self._others:
                if not is_assigned and meter in meters and priced.intersect(period):
                    raise SubjectsNotAssigned(
                        f"{self._subscription.key} and {key} both price {meter}: "
                        f"say which of them is charged for the subject {subject}."
                    )
        return [span for span, _is_assigned in self._spans]

    def _read_spans(self) -> list[tuple[Span, bool]]:
        rows = CustomerSubject.objects.filter(
            Q(subscription=self._subscription) | Q(subscription=None),
            customer_id=self._subscription.customer_id,
            validity__overlap=_range(self._period),
        ).order_by("subject", "validity")
        return [
            ((row.subject, _cut(row.validity, self._period)), row.subscription_id is not None) for row in rows
        ]

    def _read_others(self) -> list[tuple[str, Period, frozenset[str]]]:
        """Key, stretch and priced meters of the customer's other subscriptions during the period."""
        others = Subscription.objects.filter(
            customer_id=self._subscription.customer_id, phases__validity__overlap=_range(self._period)
        ).exclude(pk=self._subscription.pk)
        return [
            (other.key, stretch.period, stretch.plan.meters())
            for other in others.distinct()
            for part in phases.parts(subscription=other, period=self._period)
            for stretch in phases.stretches(subscription=other, period=part)
        ]


def _range(period: Period) -> DateTimeTZRange:
    return DateTimeTZRange(period.start, period.end)


def _cut(validity: DateTimeTZRange, period: Period) -> Period:
    end = period.end if validity.upper is None else min(validity.upper, period.end)
    return Period(max(validity.lower, period.start), end)
