"""Plans and requests in few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

AT = datetime(2026, 10, 15, tzinfo=UTC)


def plan(code: str, *components: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A plan in USD, billed by the month."""
    return {"code": code, "currency": "USD", "components": list(components), **fields}


def per_unit(meter: str, unit_amount: str, **fields: Any) -> dict[str, Any]:
    """A component that prices each unit of a meter."""
    price = {"model": "per_unit", "unit_amount": unit_amount}
    return {"code": meter, "meter": meter, "price": price, **fields}


def fee(amount: str, **fields: Any) -> dict[str, Any]:
    """A component that costs the same every period."""
    return {"code": "fee", "price": {"model": "flat", "amount": amount}, **fields}


def usage(**quantities: str) -> list[dict[str, str]]:
    """A row for each meter."""
    return [{"meter": meter, "quantity": quantity} for meter, quantity in quantities.items()]


# The article's case: 0.15 USD a call, or 0.06 USD a minute of run time, or GPU-hours, here at 2.50 USD.
USAGE = plan("usage", per_unit("calls", "0.15"))
DURATION = plan("duration", per_unit("minutes", "0.06"))
RESOURCE = plan("resource", per_unit("gpu_hours", "2.50"))
METERS = [
    {"slug": "calls", "name": "Calls", "unit": "call", "event_type": "call", "aggregation": "COUNT"},
    {
        **{"slug": "minutes", "name": "Run time", "unit": "minute", "event_type": "run"},
        **{"aggregation": "DURATION", "per": "MINUTE"},
    },
    {
        **{"slug": "gpu_hours", "name": "GPU-hours", "unit": "GPU-hour", "event_type": "gpu"},
        **{"aggregation": "DURATION", "value": "gpu_count", "mode": "RESOURCE"},
    },
]
CASE = {
    "workload": {"usage": usage(calls="1000", minutes="2000", gpu_hours="50")},
    "plans": [USAGE, DURATION, RESOURCE],
    "meters": METERS,
}
