"""Windows of local time: the quarter hours, hours, days, weeks or months of a time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from metering import periods
from metering.periods import QUARTER_HOUR, Period

QUARTER, HOUR, DAY, WEEK, MONTH = UNITS = ("QUARTER", "HOUR", "DAY", "WEEK", "MONTH")
WINDOWS_MAX = 50_000


class WindowsTooMany(ValueError):
    """A question that would be cut into more windows than anyone reads."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How to cut usage by time: `unit` is QUARTER (of an hour), HOUR, DAY, WEEK (from Monday) or MONTH.

    `zone`: the IANA name of the time zone whose clock is meant. A day of 23 or 25 hours is one window, an
    hour that the clock repeats is two. Raises ValueError for another unit, periods.ZoneUnknown for another
    zone.
    """

    unit: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"a window is one of {', '.join(UNITS)}, not {self.unit}")
        periods.named_zone(self.zone)


def covering(windows: Windows, period: Period) -> list[Period]:
    """All windows that share time with the period, in order, without gaps. Raises WindowsTooMany."""
    found: list[Period] = []
    if period.is_empty:
        return found
    for window in _KINDS[windows.unit](period.start, windows.zone):
        if window.start >= period.end:
            return found
        if len(found) == WINDOWS_MAX:
            raise WindowsTooMany(
                f"{period.start} to {period.end} has more than {WINDOWS_MAX} windows of unit {windows.unit}: "
                "ask for a shorter period or a longer unit"
            )
        if window.end > period.start:
            found.append(window)
    return found


def _quarters(at: datetime, _zone: str) -> Iterator[Period]:
    start = periods.quarter(at)
    while True:
        yield Period(start, start + QUARTER_HOUR)
        start += QUARTER_HOUR


def _hours(at: datetime, zone: str) -> Iterator[Period]:
    while True:
        window = periods.hour_window(at, zone)
        yield window
        at = window.end


def _calendar(interval: str) -> Callable[[datetime, str], Iterator[Period]]:
    def windows(at: datetime, zone: str) -> Iterator[Period]:
        day = periods.day_window(at, zone).start.astimezone(periods.named_zone(zone)).date()
        anchor = periods.calendar_anchor(day, interval)
        return (periods.nth_period(anchor, n, interval, 1, zone) for n in count())

    return windows


_KINDS: dict[str, Callable[[datetime, str], Iterator[Period]]] = {
    QUARTER: _quarters,
    HOUR: _hours,
    DAY: _calendar("DAY"),
    WEEK: _calendar("WEEK"),
    MONTH: _calendar("MONTH"),
}
