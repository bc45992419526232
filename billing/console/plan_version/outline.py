"""The components of a plan's document in the order of the invoice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from billing import formats
from billing.console.plan_version import prices
from billing.models import PlanVersion

# A market has thousands of models; a page is for people.
RATES_SHOWN = 20
COMBINES = {
    "SUM": "all of these together",
    "GREATEST": "the dearest of these",
    "LEAST": "the cheapest of these",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """A component, or a group before its children, in words. Depth 0 is the outermost."""

    depth: int
    name: str
    code: str
    counts: str
    terms: list[str]
    is_group: bool


@dataclasses.dataclass(frozen=True)
class Fixed:
    """The market prices of a published version: where they are from, and the price of each component."""

    sources: dict[str, dict[str, str]]
    price_by_code: dict[str, dict[str, Any]]


def fixed(version: PlanVersion) -> Fixed:
    """The market prices that the version was published with."""
    resolved = (version.resolved_document or {}).get("components", [])
    return Fixed(version.price_sources or {}, dict(_prices(resolved)))


def _prices(components: Iterable[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for component in components:
        if "components" in component:
            yield from _prices(component["components"])
        else:
            yield component["code"], component["price"]


def _market(code: str, currency: str, fixed: Fixed) -> list[str]:
    if code not in fixed.sources:
        return []
    lines = prices.lines(fixed.price_by_code[code], currency)
    more = [f"and {len(lines) - RATES_SHOWN:,} more"] if len(lines) > RATES_SHOWN else []
    return [formats.market_source(fixed.sources[code]), *lines[:RATES_SHOWN], *more]


def rows(document: dict[str, Any], fixed: Fixed | None = None) -> list[Row]:
    """One row for each component and group of a plan's document; ``fixed`` is of a published version."""
    return list(
        _rows(document.get("components", []), document.get("currency", ""), 0, fixed or Fixed({}, {}))
    )


def _rows(components: Iterable[dict[str, Any]], currency: str, depth: int, fixed: Fixed) -> Iterator[Row]:
    for component in components:
        name, code = component.get("name") or component["code"], component["code"]
        if "combine" in component:
            terms = [COMBINES.get(component["combine"], component["combine"]), *_bounds(component, currency)]
            yield Row(depth, name, code, "", terms, is_group=True)
            yield from _rows(component.get("components", []), currency, depth + 1, fixed)
        else:
            price = [*prices.lines(component.get("price", {}), currency), *_market(code, currency, fixed)]
            terms = [*price, *_bounds(component, currency)]
            yield Row(depth, name, code, _counts(component), terms, is_group=False)


def _counts(component: dict[str, Any]) -> str:
    if not component.get("meter"):
        return f"quantity {formats.number(component.get('quantity', '1'))}"
    text = component["meter"]
    for name, values in (component.get("where") or {}).items():
        text += f", {name} {' or '.join(map(str, values))}"
    if component.get("per"):
        text += f", a line for each {' and '.join(component['per'])}"
    return text


def _bounds(component: dict[str, Any], currency: str) -> list[str]:
    terms = []
    included = component.get("included")
    if included:
        every = included.get("every", "PERIOD").lower()
        terms.append(f"{formats.number(included.get('quantity'))} free each {every}")
    if component.get("discount_percent") not in (None, "0", 0):
        terms.append(f"less {formats.number(component['discount_percent'])} %")
    for bound, words in (("maximum", "at most"), ("minimum", "at least")):
        if component.get(bound) is not None:
            terms.append(f"{words} {formats.number(component[bound])} {currency}")
    return terms
