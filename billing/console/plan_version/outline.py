"""The components of a plan's document in the order of the invoice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from billing import formats
from billing.console.plan_version import prices

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


def rows(document: dict[str, Any]) -> list[Row]:
    """One row for each component and group of a plan's document."""
    return list(_rows(document.get("components", []), document.get("currency", ""), 0))


def _rows(components: Iterable[dict[str, Any]], currency: str, depth: int) -> Iterator[Row]:
    for component in components:
        name, code = component.get("name") or component["code"], component["code"]
        if "combine" in component:
            terms = [COMBINES.get(component["combine"], component["combine"]), *_bounds(component, currency)]
            yield Row(depth, name, code, "", terms, is_group=True)
            yield from _rows(component.get("components", []), currency, depth + 1)
        else:
            terms = [*prices.lines(component.get("price", {}), currency), *_bounds(component, currency)]
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
