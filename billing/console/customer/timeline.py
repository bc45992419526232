"""A customer's subscriptions as bars on one scale of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models import Subscription
from metering import periods

# So much is shown around now; what lies outside is cut.
BEFORE, AFTER = timedelta(days=366), timedelta(days=183)
MARGIN = timedelta(days=31)
MONTHS_MAX = 8


@dataclass(frozen=True)
class Stretch:
    """A part of a bar. ``left`` and ``width`` in percent of the scale; ``kind``: phase, trial or pause."""

    kind: str
    title: str
    start: datetime
    end: datetime | None
    left: str
    width: str


@dataclass(frozen=True)
class Bar:
    """A subscription with its phases, and what lies over them."""

    subscription: Subscription
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Tick:
    """The first of a month on the scale."""

    at: datetime
    left: str


@dataclass(frozen=True)
class Timeline:
    """The bars, the months, and where now is, if it is on the scale."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    now: str | None


class _Scale:
    def __init__(self, start: datetime, end: datetime) -> None:
        self.start = start
        self.end = end

    def place(self, at: datetime) -> float:
        return 100 * ((min(max(at, self.start), self.end) - self.start) / (self.end - self.start))

    def stretch(self, kind: str, title: str, start: datetime, end: datetime | None) -> Stretch:
        left = self.place(start)
        width = self.place(end or self.end) - left
        return Stretch(kind, title, start, end, f"{left:.3f}%", f"{width:.3f}%")

    def holds(self, start: datetime, end: datetime | None) -> bool:
        return start < self.end and (end is None or end > self.start)


def of(subscriptions: Sequence[Subscription], *, at: datetime) -> Timeline | None:
    """The timeline of subscriptions around ``at``, or around their end where it is long past; None of none.

    Their ``phases`` (with plans) and ``pauses`` are read.
    """
    if not subscriptions:
        return None
    first = min(each.start_at for each in subscriptions)
    last = max(each.end_at or at for each in subscriptions)
    scale = _Scale(max(first, at - BEFORE), at + AFTER)
    if last <= scale.start:
        scale = _Scale(max(first, last - BEFORE), last + MARGIN)
    bars = tuple(Bar(each, tuple(_stretches(each, scale))) for each in subscriptions)
    now = f"{scale.place(at):.3f}%" if scale.start <= at < scale.end else None
    return Timeline(bars, tuple(_ticks(scale)), now)


def _stretches(subscription: Subscription, scale: _Scale) -> Iterable[Stretch]:
    for phase in sorted(subscription.phases.all(), key=lambda phase: phase.validity.lower):
        title = f"{phase.plan.name}{', with overrides' if phase.overrides else ''}"
        if scale.holds(phase.validity.lower, phase.validity.upper):
            yield scale.stretch("phase", title, phase.validity.lower, phase.validity.upper)
    trial_end_at = subscription.trial_end_at
    if trial_end_at is not None and scale.holds(subscription.start_at, trial_end_at):
        yield scale.stretch("trial", "Trial", subscription.start_at, trial_end_at)
    for pause in sorted(subscription.pauses.all(), key=lambda pause: pause.validity.lower):
        if scale.holds(pause.validity.lower, pause.validity.upper):
            yield scale.stretch("pause", "Pause", pause.validity.lower, pause.validity.upper)


def _ticks(scale: _Scale) -> list[Tick]:
    """The starts of calendar months; of every third where there are many."""
    months = []
    month = periods.month_period(scale.start.year, scale.start.month)
    while month.start < scale.end:
        if month.start >= scale.start:
            months.append(month.start)
        month = periods.month_period(month.end.year, month.end.month)
    step = 1 if len(months) <= MONTHS_MAX else 3
    return [Tick(each, f"{scale.place(each):.3f}%") for each in months[::step]]
