"""What is agreed, for many statements at once: read with a few SQL statements, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from billing import timelines
from billing.models import Subscription
from billing.statements import phases
from billing.statements.payers import Payers, Span
from billing.statements.phases import OutsideSubscription, StatementRefused, Stretch
from billing.timelines import Piece
from billing.versions import Published
from metering import usage
from metering.models import MeterVersion
from metering.periods import Period


class MeterMissing(StatementRefused):
    """The plan prices a meter that does not count at the time of the statement."""


class Contracts:
    """The phases, plans, payers and meters of pieces of subscriptions."""

    def __init__(self, pieces: Sequence[tuple[Subscription, Piece]]) -> None:
        subscriptions = list({subscription.pk: subscription for subscription, _ in pieces}.values())
        self._timelines = timelines.of_many(subscriptions)
        hull = Period(
            min(piece.billed.start for _, piece in pieces), max(piece.billed.end for _, piece in pieces)
        )
        customers = sorted({subscription.customer_id for subscription in subscriptions})
        self._payers = Payers(customer_ids=customers, period=hull)
        every = [*self._timelines.values(), *self._payers.timelines]
        self._published = Published({phase.plan_id for timeline in every for phase in timeline.phases})
        self._meters: dict[datetime, Mapping[str, MeterVersion]] = {}

    def stretches(self, *, subscription: Subscription, piece: Piece) -> list[Stretch]:
        """What the subscription is on during the charged parts of a piece, in order of time.

        Raises OutsideSubscription, versions.PlanNotInForce, and DocumentError for overrides that do not fit.
        """
        timeline = self._timelines[subscription.pk]
        found = [
            stretch
            for part in piece.parts
            for stretch in phases.stretches(timeline=timeline, period=part, published=self._published)
        ]
        reached = [stretch.period for stretch in found]
        if _joined(reached) != piece.parts:
            raise OutsideSubscription(
                f"{subscription.key} has no plan all the time from {piece.billed.start:%Y-%m-%d %H:%M} to "
                f"{piece.billed.end:%Y-%m-%d %H:%M} UTC."
            )
        return found

    def timezone(self, *, subscription: Subscription, piece: Piece) -> str:
        """The time zone of the subscription's days and hours in the piece."""
        return self._timelines[subscription.pk].cycles.holding(piece.billed.start).cycle.timezone

    def spans(
        self, *, subscription: Subscription, piece: Piece, meters: Sequence[str]
    ) -> dict[str, list[Span]]:
        """By meter, whose usage is charged and when. Raises SubjectsNotAssigned."""
        return self._payers.spans(
            subscription=subscription, piece=piece, meters=meters, published=self._published
        )

    def meters(self, stretches: Sequence[Stretch], as_of: datetime) -> Mapping[str, MeterVersion]:
        """The versions of the meters that the stretches price, by slug. Raises MeterMissing."""
        if as_of not in self._meters:
            self._meters[as_of] = usage.versions(at=as_of, is_archived_too=True)
        found = self._meters[as_of]
        slugs = sorted(frozenset().union(*(stretch.plan.meters() for stretch in stretches)))
        for slug in slugs:
            if slug not in found:
                raise MeterMissing(f"The meter {slug} does not count at {as_of:%Y-%m-%d %H:%M} UTC.")
        return {slug: found[slug] for slug in slugs}


def _joined(periods: Sequence[Period]) -> list[Period]:
    """The periods, those that follow each other without gap put together."""
    found: list[Period] = []
    for period in periods:
        if found and found[-1].end == period.start:
            period = Period(found.pop().start, period.end)
        found.append(period)
    return found
