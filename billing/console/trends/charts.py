"""The drawings of trends, as their script takes them. Numbers are rounded to floats: they are to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from math import exp, isfinite, log
from typing import Any

from billing.trends.fits import DAYS_A_YEAR

SERIES_MAX = 10
SPREAD_LOG = 50  # beyond it the small prices would lie on the axis
BEFORE = timedelta(days=90)  # a version that holds from the beginning of time is drawn from so long before
Point = list[Any]


def market(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The market's prices on a logarithmic scale, with the fit as a line and its interval as two.

    Of one provider the models whose price changed are steps, of several providers each has a colour.
    """
    points = answer["points"]
    groups = _by_provider(points) if len({each["provider"] for each in points}) > 1 else _by_model(points)
    return {
        "x": {"type": "time", "name": ""},
        "y": {"type": "log", "name": answer["unit"]},
        "series": [*groups, *_fit(answer["fit"], points)],
    }


def rents(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Rents of GPUs, each kind of source in its colour, and where they fell and rose again as a line."""
    series: list[dict[str, Any]] = []
    for colour, kind in enumerate(answer["by_source_kind"]):
        name = kind["source_kind"]
        points = [_rent(each) for each in answer["points"] if each["source_kind"] == name]
        series.append({"name": name, "kind": "points", "points": points, "colour": colour})
        turn = kind["turn"]
        if turn:
            corners = [
                [turn[f"{each}_date"], float(turn[f"{each}_price"])] for each in ("first", "lowest", "last")
            ]
            series.append(
                {"name": f"{name}: its turn", "kind": "dashes", "points": corners, "colour": colour}
            )
    return {
        "x": {"type": "time", "name": ""},
        "y": {"type": "value", "name": answer["unit"]},
        "series": series,
    }


def own(series: Sequence[Mapping[str, Any]], *, today: date) -> dict[str, Any]:
    """Own prices as steps, from when each version counts until today."""
    drawn: list[list[Point]] = []
    dated = [point["effective_at"] for each in series for point in each["points"] if point["effective_at"]]
    beginning = date.fromisoformat(min([today.isoformat(), *dated])[:10]) - BEFORE
    for each in series:
        points = [
            [(point["effective_at"] or beginning.isoformat())[:10], float(point["amount"])]
            for point in each["points"]
        ]
        drawn.append([*points, [max(today.isoformat(), points[-1][0]), points[-1][1]]])
    amounts = [point[1] for points in drawn for point in points]
    is_wide = bool(amounts) and min(amounts) > 0 and max(amounts) / min(amounts) > SPREAD_LOG
    return {
        "x": {"type": "time", "name": ""},
        "y": {"type": "log" if is_wide else "value", "name": series[0]["currency"] if series else ""},
        "series": [
            {"name": f"{each['name']}, {each['price']}", "kind": "steps", "points": points}
            for each, points in zip(series, drawn, strict=True)
        ],
    }


def beside(days: Sequence[Mapping[str, Any]], *, unit: str) -> dict[str, Any]:
    """The own and the market's price as steps over the days on which one of them changed."""
    lines = (("own price", "own"), ("the market’s", "market"))
    return {
        "x": {"type": "time", "name": ""},
        "y": {"type": "value", "name": unit},
        "series": [
            {
                "name": name,
                "kind": "steps",
                "points": [
                    [day["date"], None if day[key] is None else float(day[key]), day["source"] or ""]
                    for day in days
                ],
            }
            for name, key in lines
        ],
    }


def turning_days(days: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The days on which a price changed, the first and the last one."""
    found = [
        day
        for place, day in enumerate(days)
        if place == 0 or (day["own"], day["market"]) != (days[place - 1]["own"], days[place - 1]["market"])
    ]
    return found if not days or found[-1] == days[-1] else [*found, days[-1]]


def _rent(each: Mapping[str, Any]) -> Point:
    return [each["date"], float(each["price"]), f"{each['gpu']}, {each['provider']}, {each['tier']}"]


def _point(each: Mapping[str, Any]) -> Point:
    return [each["date"], float(each["price"]), f"{each['provider']}: {each['model']}"]


def _by_provider(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_name: dict[str, list[Point]] = defaultdict(list)
    for each in points:
        by_name[each["provider"]].append(_point(each))
    names = sorted(by_name, key=lambda name: (-len(by_name[name]), name))
    found = [{"name": name, "kind": "points", "points": by_name[name]} for name in names[:SERIES_MAX]]
    others = [point for name in names[SERIES_MAX:] for point in by_name[name]]
    if others:
        title = f"{len(names) - SERIES_MAX} other providers"
        found.append({"name": title, "kind": "points", "points": others})
    return found


def _by_model(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    by_name: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for each in points:
        by_name[each["model"], each["source"]].append(_point(each))
    names = sorted(by_name, key=lambda name: (-len(by_name[name]), name))
    is_few = len(names) <= SERIES_MAX
    changed = [name for name in names if is_few or len(by_name[name]) > 1][:SERIES_MAX]
    found: list[dict[str, Any]] = [
        {"name": name[0], "kind": "steps", "points": by_name[name]} for name in changed
    ]
    others = [point for name in names if name not in changed for point in by_name[name]]
    if others:
        title = f"{len(names) - len(changed)} others" if changed else f"{len(names)} models"
        found.append({"name": title, "kind": "points", "points": others, "colour": SERIES_MAX})
    return found


def _fit(fit: Mapping[str, Any] | None, points: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The fitted line, which goes through the middle of all points, and the two of its interval."""
    if fit is None:
        return
    first, last = date.fromisoformat(fit["first"]), date.fromisoformat(fit["last"])
    middle_days = sum((date.fromisoformat(each["date"]) - first).days for each in points) / len(points)
    middle = sum(log(float(each["price"])) for each in points) / len(points)
    for name, key, kind in (
        ("the fit", "factor_a_year", "line"),
        ("90 %: slowest fall", "low", "dashes"),
        ("90 %: fastest fall", "high", "dashes"),
    ):
        factor = float(fit[key]) if fit[key] != "infinite" else 0.0
        if factor > 0 and isfinite(factor):
            ends = [
                [
                    day.isoformat(),
                    exp(middle - log(factor) * ((day - first).days - middle_days) / DAYS_A_YEAR),
                ]
                for day in (first, last)
            ]
            yield {"name": name, "kind": kind, "points": ends, "is_plain": True}
