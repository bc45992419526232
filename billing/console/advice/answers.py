"""The answer to a request for advice as the page shows it: charts, and what stands in the table of plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from billing import formats
from metering import numbers


def shown(answer: Mapping[str, Any]) -> dict[str, Any]:
    """``plans`` with the cheapest marked, ``charts`` of break-even points, and ``best`` (None: no price).

    Plans that are compared come first, the cheapest on top; then those with why they are not.
    """
    plans = [{**plan, "is_cheapest": plan["plan"] == answer["cheapest"]} for plan in answer["plans"]]
    return {
        "plans": sorted(plans, key=_order),
        "best": next((plan for plan in plans if plan["is_cheapest"]), None),
        "has_refused": any(plan["status"] == "refused" for plan in plans),
        "charts": [
            {**_chart(each, answer["currency"]), "id": f"curves-{number}"}
            for number, each in enumerate(answer["break_evens"], start=1)
        ],
    }


def _order(plan: Mapping[str, Any]) -> tuple[bool, Any]:
    return (not plan["is_compared"], numbers.parse_decimal(plan["total"]) if plan["is_compared"] else 0)


def _chart(each: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """A varied quantity: its ``drawn`` curves, its points in words, and which plan is cheapest where.

    Numbers of the drawing are rounded to floats: it is to look at, the sentences have the digits.
    """
    name = each["meter"] or "All usage together"
    drawn = {
        "x": {"type": "value", "name": each["unit"] or name},
        "y": {"type": "value", "name": currency},
        "now": {"at": float(each["now"]), "name": "now"},
        "series": [_series(curve) for curve in each["curves"] if curve["corners"]],
        "marks": [
            [float(point["at"]), float(point["amount"])]
            for point in each["points"]
            if point["amount"] is not None
        ],
    }
    return {
        **each,
        "name": name,
        "drawn": drawn,
        "sentences": [_sentence(point, each["unit"], currency) for point in each["points"]],
        "untraced": [curve for curve in each["curves"] if curve["reason"]],
    }


def _series(curve: Mapping[str, Any]) -> dict[str, Any]:
    points = [[float(x), float(amount)] for x, amount in curve["corners"]]
    return {"name": curve["plan"], "kind": "line", "points": points}


def _sentence(point: Mapping[str, Any], unit: str, currency: str) -> str:
    at = _short(point["at"])
    if point["until"] != point["at"]:
        at = f"{at} to {_short(point['until'])}"
    about = "At" if point["is_exact"] else "At about"
    amount = point["amount"]
    both = f", where both cost {formats.short_number(amount)} {currency}" if amount is not None else ""
    return (
        f"{about} {at}{f' {unit}' if unit else ''}{both}: below it {point['below']} is cheaper, above it "
        f"{point['above']}."
    )


def _short(text: str) -> str:
    return formats.short_number(text)


def rounded(quantities: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The workload's quantities with a text for people beside each."""
    return [{**each, "shown": _short(each["quantity"])} for each in quantities]
