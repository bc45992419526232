"""Short ways to ask for a quote in tests: October 2026 in UTC, one currency, meters that add up unless
named.
"""

from typing import Any

from billing import rating

OCTOBER = {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}

METERS = [
    {
        "slug": "units",
        "name": "Units",
        "unit": "unit",
        "event_type": "units",
        "aggregation": "SUM",
        "value": "n",
    },
    {
        "slug": "peak",
        "name": "Peak",
        "unit": "GB",
        "event_type": "peak",
        "aggregation": "MAX",
        "value": "n",
        "dimensions": {"region": "region"},
    },
]


def component(price: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A component on the meter `units`."""
    return {"code": "c", "meter": "units", "price": price, **more}


def fee(amount: Any, **more: Any) -> dict[str, Any]:
    """A fixed fee."""
    return {"code": "fee", "price": {"model": "flat", "amount": amount}, **more}


def plan(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A plan in USD."""
    return {"code": "p", "name": "P", "currency": "USD", "components": list(components), **more}


def used(quantity: Any, at: str | None = "2026-10-05T10:00:00Z", **dimensions: str) -> dict[str, Any]:
    """A row of the meter `units`."""
    row: dict[str, Any] = {"meter": "units", "quantity": quantity, "dimensions": dimensions}
    return row if at is None else {**row, "at": at}


def quote(of: dict[str, Any], *usage: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The answer for October 2026, or for another `period`."""
    request = {"plan": of, "meters": METERS, "period": OCTOBER, "usage": list(usage), **more}
    if "segments" in more:
        del request["plan"]
    if "events" in more:
        del request["usage"]
    return rating.quote(request)


def price_of(price: dict[str, Any], *usage: dict[str, Any], **more: Any) -> str:
    """The exact amount of a component with this price that may be negative, as text, before rounding."""
    answer = quote(plan(component(price, allow_negative=True, **more)), *usage)
    [line] = answer["lines"]
    return line.get("unrounded_exact", line["unrounded"])


def amounts(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """(component, group or kind; amount) of each line."""
    return [(line["component"] or line["group"] or line["kind"], line["amount"]) for line in answer["lines"]]
