"""The explorer's chart, as its script draws it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from metering.periods import Period
from metering.usage import Usage, Windows

SERIES_MAX = 10
NO_VALUE = "(none)"
_LABELS = {
    "QUARTER": "%d %b %H:%M",
    "HOUR": "%d %b %H:%M",
    "DAY": "%d %b %Y",
    "WEEK": "week of %d %b %Y",
    "MONTH": "%b %Y",
}


def label(window: Period, cut: Windows) -> str:
    """A window in words, on the clock of its zone: "14 May 2020", "14 May 10:00"."""
    return f"{window.start.astimezone(ZoneInfo(cut.zone)):{_LABELS[cut.unit]}}"


def of(
    *,
    rows: Sequence[Usage],
    windows: Sequence[Period],
    cut: Windows,
    split: str,
    unit: str,
    is_additive: bool,
) -> dict[str, Any]:
    """``labels`` of the windows and ``series`` [{name, values}], the largest first, null without usage.

    At most `SERIES_MAX` series; what is beyond them is one more where quantities add up, else left out.
    Numbers are rounded to floats: the chart is to look at, the table has the digits.
    """
    places = {window: place for place, window in enumerate(windows)}
    by_name: dict[str, dict[int, Fraction]] = defaultdict(dict)
    for row in rows:
        assert row.window is not None
        name = (row.dimensions[split] or NO_VALUE) if split else unit or "quantity"
        by_name[name][places[row.window]] = row.quantity
    names = sorted(by_name, key=lambda name: (-sum(map(abs, by_name[name].values())), name))
    series = [_series(name, by_name[name], len(windows)) for name in names[:SERIES_MAX]]
    others = names[SERIES_MAX:]
    if others and is_additive:
        series.append(_series(f"{len(others):,} others", _added(by_name, others), len(windows)))
    return {
        "labels": [label(window, cut) for window in windows],
        "series": series,
        "unit": unit,
        "is_stacked": is_additive,
        "left_out": 0 if is_additive else len(others),
    }


def _series(name: str, values: Mapping[int, Fraction], length: int) -> dict[str, Any]:
    return {
        "name": name,
        "values": [float(values[place]) if place in values else None for place in range(length)],
    }


def _added(by_name: Mapping[str, Mapping[int, Fraction]], names: Sequence[str]) -> Mapping[int, Fraction]:
    added: dict[int, Fraction] = defaultdict(Fraction)
    for name in names:
        for place, quantity in by_name[name].items():
            added[place] += quantity
    return added
