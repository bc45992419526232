"""The billing periods of a subscription: arithmetic on its anchor, without a clock and without a query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from metering import periods
from metering.periods import MICROSECOND, Period

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_DAYS = {"DAY": 1, "WEEK": 7}


@dataclass(frozen=True)
class Cycle:
    """The unending row of billing periods [midnight of anchor + n intervals, the next one) in a time zone."""

    anchor_date: date
    interval: str
    interval_count: int
    timezone: str

    @property
    def is_calendar(self) -> bool:
        """Whether the periods are those of the calendar: weeks from Monday, months from the first, ..."""
        return self.anchor_date == periods.calendar_anchor(self.anchor_date, self.interval)

    def holding(self, at: datetime) -> Period:
        """The whole billing period that holds the instant."""
        n = self._estimate(at)
        # Clipped month days and clocks that skip midnight move a bound by less than one period.
        while self._nth(n).start > at:
            n -= 1
        while self._nth(n).end <= at:
            n += 1
        return self._nth(n)

    def start_from(self, at: datetime) -> datetime:
        """The first start of a billing period at or after the instant."""
        period = self.holding(at)
        return period.start if period.start == at else period.end

    def _nth(self, n: int) -> Period:
        return periods.nth_period(self.anchor_date, n, self.interval, self.interval_count, self.timezone)

    def _estimate(self, at: datetime) -> int:
        day = at.astimezone(ZoneInfo(self.timezone)).date()
        if self.interval in _DAYS:
            return (day - self.anchor_date).days // (_DAYS[self.interval] * self.interval_count)
        months = (day.year - self.anchor_date.year) * 12 + day.month - self.anchor_date.month
        return months // (_MONTHS[self.interval] * self.interval_count)


@dataclass(frozen=True)
class Counted:
    """A billing period: ``whole`` as its cycle counts it, ``actual`` cut where the cycle begins or ends.

    Fees are shares of the whole one; the actual ones follow each other without gap or overlap.
    """

    cycle: Cycle
    whole: Period
    actual: Period


@dataclass(frozen=True)
class Cycles:
    """The billing periods of a subscription whose time zone, anchor or interval changed: a cycle after the
    other.

    ``changes``: (from when on, cycle) in order of time. The first one counts before its instant, too.
    """

    changes: tuple[tuple[datetime, Cycle], ...]

    def holding(self, at: datetime) -> Counted:
        """The billing period that holds the instant."""
        place = max((n for n, (start, _) in enumerate(self.changes) if start <= at), default=0)
        start, cycle = self.changes[place]
        whole = cycle.holding(at)
        first = whole.start if place == 0 else max(whole.start, start)
        following = self.changes[place + 1 : place + 2]
        last = min([whole.end, *(change for change, _ in following)])
        return Counted(cycle, whole, Period(first, last))

    def ending(self, at: datetime) -> Counted:
        """The billing period that ends at the instant, or holds it."""
        return self.holding(at - MICROSECOND)

    def start_from(self, at: datetime) -> datetime:
        """The first start of a billing period at or after the instant."""
        period = self.holding(at).actual
        return period.start if period.start == at else period.end
