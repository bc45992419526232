"""The billing periods of a subscription: arithmetic on its anchor, without a clock and without a query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from metering import periods
from metering.periods import Period

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_DAYS = {"DAY": 1, "WEEK": 7}


@dataclass(frozen=True)
class Cycle:
    """The unending row of billing periods [midnight of anchor + n intervals, the next one) in a time zone."""

    anchor_date: date
    interval: str
    interval_count: int
    timezone: str

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
