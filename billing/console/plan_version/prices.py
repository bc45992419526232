"""A price of a plan's document in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from billing import formats

Lines = list[str]


def lines(price: dict[str, Any], currency: str) -> Lines:
    """The price, a line for each tier or rate: ["0.06 USD a unit"]."""
    in_words = _MODELS.get(price.get("model", ""))
    return in_words(price, currency) if in_words else [f"{price.get('model')}: see the document below"]


def amount(value: Any, currency: str) -> str:
    """An amount as written, and what it is split into: "0.15 USD (compute 0.12, storage 0.03)"."""
    if isinstance(value, dict):
        parts = ", ".join(
            f"{part} {formats.number(value[part])}" for part in ("compute", "storage") if part in value
        )
        return f"{parts} {currency}"
    return f"{formats.number(value)} {currency}"


def _flat(price: dict[str, Any], currency: str) -> Lines:
    return [f"{amount(price.get('amount', '0'), currency)} a period"]


def _per_unit(price: dict[str, Any], currency: str) -> Lines:
    return [f"{amount(price.get('unit_amount', '0'), currency)} a unit"]


def _package(price: dict[str, Any], currency: str) -> Lines:
    size = formats.number(price.get("package_size"))
    return [f"{amount(price.get('package_amount', '0'), currency)} for each {size} begun"]


def _graduated(price: dict[str, Any], currency: str) -> Lines:
    return [f"{bound}: {_tier(tier, currency)}" for bound, tier in _bounds(price)]


def _volume(price: dict[str, Any], currency: str) -> Lines:
    return [f"all units, {bound} in all: {_tier(tier, currency)}" for bound, tier in _bounds(price)]


def _bounds(price: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    bounds, below = [], "0"
    for tier in price.get("tiers", []):
        up_to = tier.get("up_to")
        if up_to is None:
            bounds.append((f"above {formats.number(below)}" if below != "0" else "every unit", tier))
        else:
            bounds.append((f"above {formats.number(below)} up to {formats.number(up_to)}", tier))
            below = up_to
    return bounds


def _tier(tier: dict[str, Any], currency: str) -> str:
    unit = "a unit"
    if tier.get("package_size") is not None:
        unit = f"for each {formats.number(tier['package_size'])} begun"
    text = f"{amount(tier.get('unit_amount', '0'), currency)} {unit}"
    if tier.get("flat_amount") not in (None, "0", 0):
        text += f" and {amount(tier['flat_amount'], currency)} once"
    return text


def _matrix(price: dict[str, Any], currency: str) -> Lines:
    shown = [
        f"{', '.join(f'{name} {_one_of(value)}' for name, value in rate.get('when', {}).items())}: "
        f"{amount(rate.get('unit_amount', '0'), currency)} a unit"
        for rate in price.get("rates", [])
    ]
    if price.get("otherwise") is not None:
        shown.append(f"otherwise: {amount(price['otherwise'], currency)} a unit")
    return shown


def _one_of(values: Any) -> str:
    return " or ".join(map(str, values)) if isinstance(values, list) else str(values)


def _catalogue(price: dict[str, Any], currency: str) -> Lines:
    markup = price.get("markup_percent")
    more = "" if markup in (None, "0", 0) else f", {formats.number(markup)} % on top"
    shown = [f"the market price {price.get('price_of')} of the model{more}"]
    unknown = price.get("unknown")
    if unknown is not None:
        plain = unknown.get("unit_amount", unknown) if isinstance(unknown, dict) else unknown
        shown.append(f"models without one: {amount(plain, currency)} a unit")
    return shown


_MODELS: dict[str, Callable[[dict[str, Any], str], Lines]] = {
    "flat": _flat,
    "per_unit": _per_unit,
    "package": _package,
    "graduated": _graduated,
    "volume": _volume,
    "matrix": _matrix,
    "catalogue": _catalogue,
}
