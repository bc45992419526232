"""What a subscription is on at each instant of its life, and the pieces of its billing periods."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Model

from billing.cycles import Cycle, Cycles
from billing.models import Subscription, SubscriptionCycle, SubscriptionPause, SubscriptionPhase
from metering.periods import Period

END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Piece:
    """A part of a billing period that has a statement of its own: on one plan, wholly in a trial or not.

    ``period``: the whole billing period, of which fees are shares. ``billed``: from the first to the last
    instant that is charged. ``pauses``: stretches inside it that are not, during which tiers and allowances
    of the period wait.
    """

    period: Period
    billed: Period
    is_trial: bool = False
    pauses: tuple[Period, ...] = ()

    @property
    def parts(self) -> list[Period]:
        """The stretches that are charged: the piece without its pauses."""
        return without(self.billed, self.pauses)

    @property
    def share(self) -> Fraction:
        """The exact share of the whole billing period that is charged."""
        return sum((part.share_of(self.period) for part in self.parts), Fraction(0))


@dataclass(frozen=True)
class Phase:
    """A stretch on one plan with one set of overrides. ``plan_id`` identifies the plan."""

    period: Period
    plan_id: int
    overrides: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Timeline:
    """A subscription's life: where it has no end, ``life`` goes on to END_OF_TIME, and so do the others.

    ``phases`` and ``pauses`` are in order of time; those of one kind share no time.
    """

    life: Period
    cycles: Cycles
    phases: tuple[Phase, ...]
    pauses: tuple[Period, ...] = ()
    trial_end_at: datetime | None = None

    def pieces(self, at: datetime) -> list[Piece]:
        """The pieces of the billing period that holds the instant, in order; none where all of it is paused
        or outside the subscription's life.
        """
        counted = self.cycles.holding(at)
        return [
            _piece(counted.whole, parts, is_trial=is_trial)
            for is_trial, parts in self._joined(self.life.intersect(counted.actual))
        ]

    def pieces_from(self, at: datetime) -> Iterator[Piece]:
        """All pieces from the billing period that holds the instant on; of an unending life without end."""
        while at < self._charged_until:
            yield from self.pieces(at)
            at = self.cycles.holding(at).actual.end

    def piece_holding(self, at: datetime) -> Piece | None:
        """The piece that holds the instant, unless the subscription rests then."""
        found = (piece for piece in self.pieces(at) if piece.billed.contains(at))
        return next((piece for piece in found if not any(pause.contains(at) for pause in piece.pauses)), None)

    def phase_at(self, at: datetime) -> Phase | None:
        """The phase that holds the instant, also under a pause."""
        return next((phase for phase in self.phases if phase.period.contains(at)), None)

    def joined_at(self, phase: Phase) -> datetime:
        """Since when the subscription has been on the phase's plan; leaving it for another one ends that."""
        since = phase.period.start
        for earlier in reversed([each for each in self.phases if each.period.start < since]):
            if earlier.plan_id != phase.plan_id:
                break
            since = earlier.period.start
        return since

    def next_billing_at(self, after: datetime) -> datetime | None:
        """The end of the first billing period that ends after the instant; None where the life is over."""
        if after >= self.life.end:
            return None
        return min(self.cycles.holding(max(after, self.life.start)).actual.end, self.life.end)

    def next_advance_at(self, at: datetime) -> datetime | None:
        """The start of the first piece outside the trial that begins at the instant or later, if any."""
        pieces = self.pieces_from(max(at, self.life.start))
        starts = (piece.billed.start for piece in pieces if not piece.is_trial)
        return next((start for start in starts if start >= at), None)

    @property
    def _charged_until(self) -> datetime:
        """The instant from which on nothing is charged any more: a pause without end, too, is an end."""
        rests = [pause.start for pause in self.pauses if pause.end == END_OF_TIME]
        phases_end = max((phase.period.end for phase in self.phases), default=self.life.start)
        return min([self.life.end, phases_end, *rests])

    def _joined(self, window: Period | None) -> Iterator[tuple[bool, list[Period]]]:
        """Whether in the trial, and the charged stretches, of each piece inside the window."""
        known: tuple[int, bool] | None = None
        parts: list[Period] = []
        for phase in self.phases:
            inside = None if window is None else phase.period.intersect(window)
            for is_trial, part in self._charged(inside):
                if parts and (phase.plan_id, is_trial) != known:
                    yield known is not None and known[1], parts
                    parts = []
                known = (phase.plan_id, is_trial)
                parts = [*parts, part]
        if parts:
            yield known is not None and known[1], parts

    def _charged(self, period: Period | None) -> Iterator[tuple[bool, Period]]:
        for part in without(period, self.pauses) if period is not None else ():
            trial = Period(self.life.start, self.trial_end_at or self.life.start)
            inside = trial.intersect(part)
            if inside is not None:
                yield True, inside
            if inside is None or inside.end < part.end:
                yield False, Period(part.start if inside is None else inside.end, part.end)


def without(period: Period, pauses: Iterable[Period]) -> list[Period]:
    """What is left of the period outside the pauses, which are in order of time and share none."""
    left, reached = [], period.start
    for pause in pauses:
        inside = pause.intersect(period)
        if inside is None:
            continue
        if reached < inside.start:
            left.append(Period(reached, inside.start))
        reached = inside.end
    return [*left, Period(reached, period.end)] if reached < period.end else left


def of(subscription: Subscription) -> Timeline:
    """The timeline of a subscription, as its rows are now."""
    return of_many([subscription])[subscription.pk]


def of_many(subscriptions: Sequence[Subscription]) -> dict[int, Timeline]:
    """The timelines of subscriptions by id, read with three SQL statements."""
    ids = [subscription.pk for subscription in subscriptions]
    phases = _by_subscription(SubscriptionPhase.objects.filter(subscription_id__in=ids).order_by("validity"))
    cycles = _by_subscription(SubscriptionCycle.objects.filter(subscription_id__in=ids).order_by("start_at"))
    pauses = _by_subscription(SubscriptionPause.objects.filter(subscription_id__in=ids).order_by("validity"))
    return {
        each.pk: Timeline(
            life=Period(each.start_at, each.end_at or END_OF_TIME),
            cycles=Cycles(tuple((row.start_at, _cycle(row)) for row in cycles[each.pk])),
            phases=tuple(_phase(row) for row in phases[each.pk]),
            pauses=tuple(period_of(row.validity) for row in pauses[each.pk]),
            trial_end_at=each.trial_end_at,
        )
        for each in subscriptions
    }


def period_of(validity: DateTimeTZRange) -> Period:
    """The stretch of a stored range, to END_OF_TIME where it has no end."""
    return Period(validity.lower, validity.upper or END_OF_TIME)


def range_of(period: Period) -> DateTimeTZRange:
    """The range to be stored for a stretch, without end where that is END_OF_TIME."""
    return DateTimeTZRange(period.start, None if period.end == END_OF_TIME else period.end)


def _by_subscription(rows: Iterable[Model]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.subscription_id].append(row)
    return found


def _cycle(row: SubscriptionCycle) -> Cycle:
    return Cycle(row.anchor_date, row.interval, row.interval_count, row.timezone)


def _phase(row: SubscriptionPhase) -> Phase:
    return Phase(period_of(row.validity), row.plan_id, row.overrides)


def _piece(whole: Period, parts: Sequence[Period], *, is_trial: bool) -> Piece:
    pauses = tuple(
        Period(before.end, after.start)
        for before, after in itertools.pairwise(parts)
        if before.end < after.start
    )
    return Piece(whole, Period(parts[0].start, parts[-1].end), is_trial, pauses)
