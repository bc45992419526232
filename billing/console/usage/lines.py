"""The rows of the explorer's table, with the way to what is behind each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from billing.console.usage import chart
from metering import numbers
from metering.documents.meter import RESERVED_DIMENSION, MeterDefinition
from metering.periods import Period
from metering.usage import Usage, Windows

SHOWN_MAX = 500


@dataclass(frozen=True)
class Line:
    """``events``: the address of the events of the window; "" where they are of several subjects.

    ``by_subject``: then the address of the same window split by subject.
    """

    window: str
    value: str
    quantity: str
    exact: str
    count: int
    events: str
    by_subject: str


def of(
    *,
    rows: Sequence[Usage],
    cut: Windows,
    period: Period,
    split: str,
    definition: MeterDefinition,
    subject: str | None,
    asked: QueryDict,
) -> list[Line]:
    """The first `SHOWN_MAX` rows. ``subject``: "" of everybody, None of several people's."""
    return [
        _line(row, cut=cut, period=period, split=split, definition=definition, subject=subject, asked=asked)
        for row in rows[:SHOWN_MAX]
    ]


def _line(
    row: Usage,
    *,
    cut: Windows,
    period: Period,
    split: str,
    definition: MeterDefinition,
    subject: str | None,
    asked: QueryDict,
) -> Line:
    assert row.window is not None
    during = row.window.intersect(period)
    assert during is not None  # the row is about a part of the period
    text, fraction = numbers.shown(row.quantity)
    whose = row.dimensions.get(RESERVED_DIMENSION, subject)
    return Line(
        window=chart.label(row.window, cut),
        value=row.dimensions[split] if split else "",
        quantity=text,
        exact=fraction or text,
        count=row.count,
        events="" if whose is None else _events(definition, whose, during, _value(row, split, definition)),
        by_subject=_by_subject(asked, during) if whose is None else "",
    )


def _value(row: Usage, split: str, definition: MeterDefinition) -> dict[str, str]:
    """Which value of the events' data the row is about. Of a range there is none."""
    paths = {each.name: each.path for each in definition.dimensions if not each.ranges}
    return {"data_path": paths[split], "data_value": row.dimensions[split]} if split in paths else {}


def _events(definition: MeterDefinition, subject: str, during: Period, value: dict[str, str]) -> str:
    times = {"time_from": _typed(during.start), "time_until": _typed(during.end)}
    chosen = {"type": definition.event_type, **times, **value}
    if subject:
        chosen["subject"] = subject
    return f"{reverse('console:events')}?{urlencode(chosen)}"


def _by_subject(asked: QueryDict, during: Period) -> str:
    kept = asked.copy()
    kept.pop("month", None)
    kept["split"] = RESERVED_DIMENSION
    kept["time_from"], kept["time_until"] = _typed(during.start), _typed(during.end)
    return f"?{kept.urlencode()}"


def _typed(at: datetime) -> str:
    """An instant in UTC as a browser's picker writes it."""
    is_to_the_minute = (at.second, at.microsecond) == (0, 0)
    return at.replace(tzinfo=None).isoformat(timespec="minutes" if is_to_the_minute else "auto")
