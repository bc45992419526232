"""Random plans, and usage that they price, for properties of invoices and of quotes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from metering.measures import Event

SEPTEMBER_END = datetime(2026, 10, 1, tzinfo=UTC)
SUBJECTS = ["acme", "globex"]
DIMENSIONS = {"model": "model", "region": "at.region"}
MODELS, REGIONS = ["large", "small"], ["eu", "us", ""]
TIERS = [
    {"up_to": "10", "unit_amount": "2", "flat_amount": "1.5"},
    {"up_to": None, "unit_amount": "1.25"},
]

PRICES: list[dict[str, Any]] = [
    {"model": "per_unit", "unit_amount": "0.015"},
    {"model": "graduated", "tiers": TIERS},
    {"model": "volume", "tiers": TIERS},
    {"model": "package", "package_size": "3", "package_amount": "1"},
    {
        "model": "matrix",
        "by": ["model"],
        "rates": [{"when": {"model": "large"}, "unit_amount": "3"}],
        "otherwise": "0.5",
    },
]
PRICES_OF_EVENTS: list[dict[str, Any]] = [
    {"model": "percentage", "rate": "2.5", "fixed_amount": "0.1"},
    {
        "model": "percentage",
        "rate": "10",
        "free_events": 2,
        "free_quantity": "12",
        "maximum_per_event": "1.5",
    },
    {"model": "dynamic", "amount": "cost.net", "amount_currency": "cost.currency", "markup_percent": "10"},
]
WHERE: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"model": ["large"]},
    {"region": ["eu", ""]},
    {"model": MODELS, "region": ["us"]},
]
PER: list[list[str]] = [[], [], ["model"], ["region", "subject"]]
ADDING_UP = ["COUNT", "SUM", "DURATION"]
NOT_ADDING_UP = ["MAX", "MIN", "AVERAGE", "LATEST", "UNIQUE"]


def meter(aggregation: str, *, carry_over: bool = False) -> dict[str, Any]:
    """A meter of the aggregation over the events below."""
    document: dict[str, Any] = {
        "slug": "m",
        "name": "M",
        "event_type": "use",
        "aggregation": aggregation,
        "dimensions": DIMENSIONS,
    }
    if aggregation != "COUNT":
        document["value"] = "v"
    if aggregation in ("LATEST", "MAX", "UNIQUE"):
        document["carry_over"] = carry_over
    return document


@st.composite
def components(draw: st.DrawFn, aggregation: str) -> list[dict[str, Any]]:
    """One or two components that price the meter; sometimes they leave a part of its usage to nobody."""
    prices = [*PRICES, *PRICES_OF_EVENTS] if aggregation in ("COUNT", "SUM") else PRICES
    found = []
    for code in ["one", "two"][: draw(st.integers(1, 2))]:
        made: dict[str, Any] = {"code": code, "meter": "m", "price": draw(st.sampled_from(prices))}
        where, per = draw(st.sampled_from(WHERE)), draw(st.sampled_from(PER))
        made |= {name: value for name, value in (("where", where), ("per", per)) if value}
        if draw(st.booleans()) and made["price"] not in PRICES_OF_EVENTS:
            made["included"] = {"quantity": draw(st.sampled_from(["1", "7.5"]))}
        found.append(made)
    return found


@st.composite
def events(draw: st.DrawFn, *, before: bool, subjects: Sequence[str] = SUBJECTS) -> list[Event]:
    """Events of October that every meter above can use; with ``before`` also some of late September."""
    hours = st.integers(-72 if before else 0, 31 * 24 * 4 - 1)
    return [
        Event(
            id=f"e{n}",
            source=draw(st.sampled_from(["a", "B", "ü"])),
            type="use",
            subject=draw(st.sampled_from(subjects)),
            time=SEPTEMBER_END
            + draw(hours) * timedelta(minutes=15)
            + draw(st.integers(0, 1)) * timedelta(seconds=7),
            data=draw(_payloads()),
        )
        for n in range(draw(st.sampled_from([6, 10, 3, 1, 0])))
    ]


@st.composite
def _payloads(draw: st.DrawFn) -> dict[str, Any]:
    start = SEPTEMBER_END + draw(st.integers(0, 30 * 24 * 60 - 1)) * timedelta(minutes=1)
    end = start + draw(st.integers(0, 600)) * timedelta(minutes=1)
    return {
        "v": draw(st.sampled_from([5, 7, Decimal("2.5"), "11", 0])),
        "model": draw(st.sampled_from(MODELS)),
        "at": {"region": draw(st.sampled_from(REGIONS))},
        "cost": {"net": draw(st.sampled_from([Decimal("0.125"), 1, "2E-3"])), "currency": "USD"},
        "start": start.isoformat(),
        "end": end.isoformat(),
    }
