"""Instants and half-open periods in UTC, and the local days and hours that bound them."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from zoneinfo import ZoneInfo

from metering import numbers

INTERVALS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
MICROSECOND = timedelta(microseconds=1)
QUARTER_HOUR = timedelta(minutes=15)
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


class InstantInvalid(ValueError):
    """A text or number that names no instant; the message says what is wrong with it."""


class ZoneUnknown(ValueError):
    """A name that is no time zone of the IANA database."""


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open stretch of time [start, end) between two aware instants, kept in UTC. It may be empty.

    Raises ValueError for a naive bound and for an end before the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"a period needs instants with a time zone: {self.start} to {self.end}")
        if self.end < self.start:
            raise ValueError(f"a period cannot end before it starts: {self.start} to {self.end}")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @property
    def microseconds(self) -> int:
        """The length in microseconds."""
        return microseconds_between(self.start, self.end)

    @property
    def seconds(self) -> Fraction:
        """The exact length in seconds."""
        return Fraction(self.microseconds, 1_000_000)

    @property
    def is_empty(self) -> bool:
        return self.start == self.end

    def contains(self, at: datetime) -> bool:
        """Whether `at` lies in [start, end)."""
        return self.start <= at < self.end

    def covers(self, other: "Period") -> bool:
        """Whether the whole of `other` lies inside."""
        return self.start <= other.start and other.end <= self.end

    def intersect(self, other: "Period") -> "Period | None":
        """The common stretch of both, or None when they share no time."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None

    def share_of(self, whole: "Period") -> Fraction:
        """This period's length as an exact share of the length of `whole`. Raises ValueError for an empty
        whole.
        """
        if whole.is_empty:
            raise ValueError("an empty period has no shares")
        return Fraction(self.microseconds, whole.microseconds)


def microseconds_between(start: datetime, end: datetime) -> int:
    """The whole microseconds from `start` to `end`, negative when `end` is earlier."""
    return (end - start) // MICROSECOND


def parse_instant(text: str, *, naive_is_utc: bool = False) -> datetime:
    """The instant of an RFC 3339 text, in UTC, cut (never rounded) to microseconds.

    Rounding would move the last event of a month into the next one. Second 60 and hour 24 are refused.
    A text without offset is refused unless `naive_is_utc`. Raises InstantInvalid.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InstantInvalid(f"{text[:60]!r} is no instant such as 2026-10-01T00:00:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    offset = match.group(8)
    if offset is None and not naive_is_utc:
        raise InstantInvalid(f"{text!r} has no time zone; end it with Z or an offset such as +02:00")
    microsecond = int((match.group(7) or "")[:6].ljust(6, "0"))
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
        return local - _offset(offset)
    except (ValueError, OverflowError) as error:
        raise InstantInvalid(f"{text!r} is no instant: {error}") from None


def _offset(text: str | None) -> timedelta:
    if text is None or text in "Zz":
        return timedelta()
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 23 or minutes > 59:
        raise ValueError(f"the offset {text} is out of range")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if text[0] == "-" else offset


def parse_time_value(value: object) -> datetime:
    """The instant that an event's data give: RFC 3339 (without offset: UTC) or Unix seconds.

    Unix seconds are an int, a Decimal or a decimal text; digits beyond microseconds are cut off.
    Raises InstantInvalid.
    """
    if isinstance(value, str):
        if _RFC3339.fullmatch(value):
            return parse_instant(value, naive_is_utc=True)
        try:
            return parse_time_value(numbers.parse_decimal(value))
        except numbers.NumberInvalid:
            raise InstantInvalid(f"{value[:60]!r} is neither an instant nor Unix seconds") from None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InstantInvalid("an instant is a text such as 2026-10-01T00:00:00Z, or Unix seconds")
    seconds = Fraction(value)
    try:
        return EPOCH + int(seconds * 1_000_000) * MICROSECOND
    except OverflowError:
        raise InstantInvalid(f"Unix seconds {value} are out of range") from None


def format_instant(at: datetime) -> str:
    """The instant as RFC 3339 text in UTC: 2026-10-01T00:00:00Z, with a fraction only when there is one."""
    utc = at.astimezone(UTC)
    fraction = f".{utc.microsecond:06d}".rstrip("0") if utc.microsecond else ""
    return f"{utc.replace(tzinfo=None, microsecond=0).isoformat()}{fraction}Z"


def named_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name such as Europe/Berlin. Raises ZoneUnknown."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ZoneUnknown(f"{name[:60]!r} is no IANA time zone such as Europe/Berlin") from None


def midnight(day: date, zone: ZoneInfo | str) -> datetime:
    """The first instant of a local date, in UTC.

    Where clocks skip midnight it is the first instant after the gap; where midnight comes twice, the first.
    """
    return _midnight(day, _zone(zone))


def _zone(zone: ZoneInfo | str) -> ZoneInfo:
    return named_zone(zone) if isinstance(zone, str) else zone


@lru_cache(maxsize=8192)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    wall = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (a wall time, placed in its zone below)
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall:
        return at
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC) - HOUR
    return _next_change(before, at + HOUR, zone)


def _next_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after `start`, and not after `end`, at which the zone's offset differs from the
    one at `start`.
    """
    offset = start.astimezone(zone).utcoffset()
    low, high = 0, microseconds_between(start, end)
    while high - low > 1:
        middle = (low + high) // 2
        if (start + middle * MICROSECOND).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return start + high * MICROSECOND


def quarter(at: datetime) -> datetime:
    """The start of the quarter hour of UTC that holds `at`."""
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)


def hour_window(at: datetime, zone: ZoneInfo | str) -> Period:
    """The hour of local wall time that holds `at`. A repeated hour is a window of its own.

    In the few zones whose clock moves by half an hour, the move cuts the hour that it falls into.
    """
    place = _zone(zone)
    at = at.astimezone(UTC)
    start = _hour_start(at, place)
    end = start + HOUR
    offset = at.astimezone(place).utcoffset()
    if start.astimezone(place).utcoffset() != offset:
        start = _next_change(start, at, place)
    if (end - MICROSECOND).astimezone(place).utcoffset() != offset:
        end = _next_change(at, end, place)
    return Period(start, end)


def _hour_start(at: datetime, zone: ZoneInfo) -> datetime:
    wall = at.astimezone(zone)
    return at - timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def day_window(at: datetime, zone: ZoneInfo | str) -> Period:
    """The local day whose bounds hold `at`.

    Where clocks go back over midnight the local date of an instant can be the day before; its bounds decide.
    """
    place = _zone(zone)
    day = at.astimezone(place).date()
    if at >= _midnight(day + timedelta(days=1), place):
        day += timedelta(days=1)
    if at < _midnight(day, place):
        day -= timedelta(days=1)
    return Period(_midnight(day, place), _next_midnight(day, place))


def _next_midnight(day: date, zone: ZoneInfo) -> datetime:
    return _midnight(day + timedelta(days=1), zone)


def month_period(year: int, month: int, zone: ZoneInfo | str = "UTC") -> Period:
    """The local calendar month."""
    return nth_period(date(year, month, 1), 0, "MONTH", 1, zone)


def nth_period(anchor: date, n: int, interval: str, interval_count: int, zone: ZoneInfo | str) -> Period:
    """The n-th billing period from a local anchor date: [midnight(anchor + n), midnight(anchor + n + 1)).

    Counted from the anchor each time, never from the period before: 31 January, 28 February, 31 March.
    Period 0 starts on the anchor; n may be negative.
    """
    start, end = (_shifted(anchor, k * interval_count, interval) for k in (n, n + 1))
    return Period(midnight(start, zone), midnight(end, zone))


def _shifted(anchor: date, count: int, interval: str) -> date:
    if interval == "DAY":
        return anchor + timedelta(days=count)
    if interval == "WEEK":
        return anchor + timedelta(weeks=count)
    months = anchor.year * 12 + anchor.month - 1 + count * _MONTHS[interval]
    year, month = divmod(months, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def calendar_anchor(day: date, interval: str) -> date:
    """The start of the calendar period that holds `day`: itself, its Monday, or the first of its month,
    quarter or year.
    """
    if interval == "DAY":
        return day
    if interval == "WEEK":
        return day - timedelta(days=day.weekday())
    months = _MONTHS[interval]
    return date(day.year, (day.month - 1) // months * months + 1, 1)
