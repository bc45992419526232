"""Windows of the local week, for prices by time of use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.documents.amounts import AMOUNT, Amount
from metering.documents.errors import invalid, joined
from metering.documents.fields import Field, ListOf, Shape
from metering.documents.kinds import Choice, Text

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
_TIME = Text(pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]", hint="a time of day such as 08:30", length_max=5)
_END = Text(
    pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00",
    hint="a time of day such as 08:30, at most 24:00",
    length_max=5,
)


@dataclass(frozen=True, slots=True)
class Window:
    """From one wall time to another on each of `days`, the days on which it begins (0 is Monday).

    Times are minutes of the day. A window that ends at or before its start goes on into the next day.
    """

    days: tuple[int, ...]
    start: int
    end: int
    unit_amount: Amount

    def holds(self, wall: datetime) -> bool:
        """Whether the window holds a local wall time."""
        minute = wall.weekday() * DAY_MINUTES + wall.hour * 60 + wall.minute
        return any(
            start <= minute < end or start <= minute + WEEK_MINUTES < end for start, end in self.spans()
        )

    def spans(self) -> Iterator[tuple[int, int]]:
        """The minutes [start, end) of the week from Monday 00:00; Sunday night's may end beyond the week."""
        length = (self.end - self.start) % DAY_MINUTES or DAY_MINUTES
        for day in self.days:
            start = day * DAY_MINUTES + self.start
            yield start, start + length

    @property
    def label(self) -> str:
        """The window in words: MON TUE 00:30-08:30."""
        days = "" if len(self.days) == len(DAYS) else " ".join(DAYS[day] for day in self.days) + " "
        return f"{days}{_clock(self.start)}-{_clock(self.end)}"


def first_overlap(windows: Sequence[Window]) -> tuple[int, int] | None:
    """The places of the first two windows that hold the same minute of the week, or None."""
    minutes: dict[int, int] = {}
    for place, window in enumerate(windows):
        for start, end in window.spans():
            for minute in range(start, end):
                other = minutes.setdefault(minute % WEEK_MINUTES, place)
                if other != place:
                    return other, place
    return None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _window(values: dict[str, Any], _given: frozenset[str], path: str) -> Window:
    if values["from"] == values["to"]:
        raise invalid(
            "a window cannot end when it begins; the whole day is from 00:00 to 24:00", joined(path, "to")
        )
    days = tuple(sorted({DAYS.index(day) for day in values["days"]}))
    return Window(days, _minutes(values["from"]), _minutes(values["to"]), values["unit_amount"])


SHAPE = Shape(
    "a window",
    {
        "days": Field(ListOf(Choice(DAYS), 1, 7), DAYS),
        "from": Field(_TIME),
        "to": Field(_END),
        "unit_amount": Field(AMOUNT),
    },
    _window,
)
