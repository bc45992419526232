"""The own plans' prices over time: every price of every version, as it was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing import versions
from billing.models import Plan, PlanVersion
from metering import numbers, periods

# Keys whose value is money: alone, or as {compute, storage}.
_AMOUNTS = (
    *("amount", "unit_amount", "package_amount", "flat_amount", "fixed_amount", "otherwise"),
    *("minimum", "maximum", "minimum_per_event", "maximum_per_event", "rate"),
)
SERIES_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Price:
    """One amount of a version: of which component, and where in it, such as price.tiers[0].unit_amount."""

    component: str
    name: str
    path: str
    meter: str | None
    amount: Decimal


def answer(*, plan: str | None = None) -> dict[str, Any]:
    """The series of the plan's prices (None: of all plans) as JSON, in the order of the newest version.

    A version counts from ``effective_at``; null stands for the beginning of time. At most 2,000 series, then
    ``is_cut`` is true.
    """
    found = Plan.objects.order_by("code")
    if plan is not None:
        found = found.filter(code=plan)
    series = [each for one in found for each in _series(one)]
    return {"series": series[:SERIES_MAX], "is_cut": len(series) > SERIES_MAX}


def of(version: PlanVersion) -> list[Price]:
    """All prices of a version, market prices as they were fixed."""
    return list(_prices(versions.rated_document(version)))


def _series(plan: Plan) -> list[dict[str, Any]]:
    points: dict[tuple[str, str], list[dict[str, Any]]] = {}
    heads: dict[tuple[str, str], Price] = {}
    for version in versions.of(plan):
        for price in of(version):
            key = (price.component, price.path)
            heads[key] = price
            points.setdefault(key, []).append(_point(version, price.amount))
    return [
        {
            "plan": plan.code,
            "component": price.component,
            "name": price.name,
            "price": price.path,
            "meter": price.meter,
            "currency": plan.currency,
            "points": points[key],
        }
        for key, price in heads.items()
    ]


def _point(version: PlanVersion, amount: Decimal) -> dict[str, Any]:
    effective_at: datetime | None = version.effective_at
    return {
        "version": version.number,
        "effective_at": None if effective_at is None else periods.format_instant(effective_at),
        "published_at": periods.format_instant(version.published_at),
        "amount": numbers.text(amount),
    }


def _prices(node: Mapping[str, Any], code: str = "") -> Iterator[Price]:
    """Prices of a plan, group or component, those of the components inside it after its own."""
    name = node.get("name") or code
    for path, amount in _amounts({key: each for key, each in node.items() if key != "components"}, ""):
        yield Price(code, name, path, node.get("meter"), amount)
    for child in node.get("components", ()):
        yield from _prices(child, child["code"])


def _amounts(value: Any, path: str) -> Iterator[tuple[str, Decimal]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            place = f"{path}.{key}" if path else key
            amount = _amount(each) if key in _AMOUNTS else None
            if amount is not None:
                yield place, amount
            else:
                yield from _amounts(each, place)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _amounts(each, f"{path}[{number}]")


def _amount(value: Any) -> Decimal | None:
    """The amount that stands there, or None; a path to an amount of events is none."""
    if isinstance(value, Mapping) and value.keys() == {"compute", "storage"}:
        with numbers.exact():
            return Decimal(str(value["compute"])) + Decimal(str(value["storage"]))
    try:
        return numbers.parse_decimal(value)
    except numbers.NumberInvalid:
        return None
