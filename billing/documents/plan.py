"""A plan as a document: components and groups in the order of the invoice, with their prices."""

from dataclasses import replace
from typing import Any

from billing.documents import plan_checks
from billing.documents.currencies import DIGITS
from billing.documents.nodes import (
    DAY,
    GREATEST,
    HOUR,
    IN_ADVANCE,
    IN_ARREARS,
    LEAST,
    MIGRATIONS,
    MODES,
    ONE,
    PERIOD,
    Component,
    Group,
    Included,
    Node,
    PlanDiscount,
    PlanDocument,
)
from billing.documents.prices import PRICE
from metering.documents.errors import DocumentError, invalid, joined, suggestion
from metering.documents.fields import Field, ListOf, MapOf, Shape, as_mapping
from metering.documents.kinds import (
    CODE,
    DIMENSION,
    NOT_NEGATIVE,
    PERCENT,
    SLUG,
    ZERO,
    Choice,
    Count,
    Flag,
    Instant,
    Kind,
    Text,
    Words,
    Zone,
)
from metering.periods import INTERVALS


def parse(document: Any, path: str = "plan") -> PlanDocument:
    """The plan of a document, with every default filled in and every rule that needs no meter checked.
    Raises DocumentError.
    """
    plan: PlanDocument = SHAPE.read(document, path)
    return plan


def canonical(document: Any, path: str = "plan") -> dict[str, Any]:
    """The document as JSON for comparing: numbers by value, null members dropped. Raises DocumentError."""
    parse(document, path)
    as_json: dict[str, Any] = SHAPE.canonical(document, path)
    return as_json


def schema() -> dict[str, Any]:
    """The JSON Schema of a plan document; groups nest to any depth."""
    return SHAPE.schema() | {"$defs": {"node": {"anyOf": [COMPONENT.schema(), GROUP.schema()]}}}


def apply_overrides(plan: PlanDocument, overrides: Any, path: str = "overrides") -> PlanDocument:
    """The plan with the values that a subscription puts in place of a component's own, checked as in a plan.

    `overrides` maps codes of components to {quantity, included, price, minimum, maximum, discount_percent};
    each replaces the component's whole value, null takes an allowance or a bound away. Raises DocumentError.
    """
    if overrides is None:
        return plan
    known = {component.code for component in plan.all_components()}
    changes: dict[str, dict[str, Any]] = {}
    for code, document in as_mapping(overrides, path).items():
        place = joined(path, code)
        if code not in known:
            raise DocumentError(
                "unknown_key",
                f"the plan has no component of this code{suggestion(code, sorted(known))}",
                place,
            )
        changes[code] = _override(document, place)
    return replace(
        plan, components=tuple(_overridden(plan, node, changes, path, False) for node in plan.components)
    )


def _override(document: Any, path: str) -> dict[str, Any]:
    values: dict[str, Any] = _OVERRIDE.read(document, path)
    for key in ("quantity", "price"):
        if key in document and document[key] is None:
            raise invalid("cannot be taken away", joined(path, key))
    return {key: values[key] for key in document}


def _overridden(
    plan: PlanDocument, node: Node, changes: dict[str, dict[str, Any]], path: str, in_choice: bool
) -> Node:
    if isinstance(node, Group):
        choice = in_choice or node.combine in (GREATEST, LEAST)
        children = tuple(_overridden(plan, child, changes, path, choice) for child in node.children)
        return replace(node, children=children)
    if node.code not in changes:
        return node
    if node.meter is not None and "quantity" in changes[node.code]:
        raise invalid("the quantity of a component with a meter is measured", f"{path}.{node.code}.quantity")
    changed = replace(node, **changes[node.code])
    plan_checks.check_component(changed, plan.currency, in_choice=in_choice, path=joined(path, node.code))
    return changed


def _component(values: dict[str, Any], given: frozenset[str], path: str) -> Component:
    for key in ("where", "per", "included"):
        if values["meter"] is None and key in given:
            raise invalid("needs a meter", joined(path, key))
    if values["meter"] is not None and "quantity" in given:
        raise invalid("the quantity of a component with a meter is measured", joined(path, "quantity"))
    if len(set(values["per"])) < len(values["per"]):
        raise invalid("names a dimension twice", joined(path, "per"))
    values["name"] = values["name"] or values["code"]
    values["where"] = tuple(sorted(values["where"].items()))
    return Component(**values)


def _group(values: dict[str, Any], _given: frozenset[str], _path: str) -> Group:
    children = values.pop("components")
    values["name"] = values["name"] or values["code"]
    return Group(children=children, **values)


def _plan(values: dict[str, Any], _given: frozenset[str], path: str) -> PlanDocument:
    values["name"] = values["name"] or values["code"]
    plan = PlanDocument(**values)
    plan_checks.check_plan(plan, path)
    return plan


class _Node:
    """A component, or a group with its children."""

    def read(self, value: Any, path: str) -> Node:
        node: Node = _choose(value, path).read(value, path)
        return node

    def canonical(self, value: Any, path: str) -> Any:
        return _choose(value, path).canonical(value, path)

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/$defs/node"}


def _choose(value: Any, path: str) -> Kind:
    return GROUP if {"combine", "components"} & as_mapping(value, path).keys() else COMPONENT


_NAME = Text(hint="a name")
_BOUNDS = {
    "discount_percent": Field(PERCENT, ZERO),
    "maximum": Field(NOT_NEGATIVE, None),
    "minimum": Field(NOT_NEGATIVE, None),
}
_INCLUDED = Shape(
    "an allowance",
    {"quantity": Field(NOT_NEGATIVE), "every": Field(Choice((PERIOD, DAY, HOUR)), PERIOD)},
    lambda values, _given, _path: Included(**values),
)
COMPONENT = Shape(
    "a component",
    {
        "code": Field(CODE),
        "name": Field(_NAME, ""),
        "mode": Field(Choice(MODES), None),
        "meter": Field(SLUG, None),
        "quantity": Field(NOT_NEGATIVE, ONE),
        "where": Field(MapOf(DIMENSION, Words()), {}),
        "per": Field(ListOf(DIMENSION, 1, 20), ()),
        "included": Field(_INCLUDED, None),
        "price": Field(PRICE),
        **_BOUNDS,
        "timing": Field(Choice((IN_ARREARS, IN_ADVANCE)), IN_ARREARS),
        "prorate": Field(Flag(), True),
        "allow_negative": Field(Flag(), False),
    },
    _component,
)
_NODES = ListOf(_Node(), 1, 1000)
GROUP = Shape(
    "a group",
    {
        "code": Field(CODE),
        "name": Field(_NAME, ""),
        "combine": Field(Choice(("SUM", GREATEST, LEAST))),
        "components": Field(_NODES),
        **_BOUNDS,
    },
    _group,
)
_OVERRIDE = Shape(
    "an override",
    {
        "quantity": Field(NOT_NEGATIVE, None),
        "included": Field(_INCLUDED, None),
        "price": Field(PRICE, None),
        **_BOUNDS,
    },
)
_DISCOUNT = Shape(
    "a discount",
    {"percent": Field(PERCENT), "name": Field(_NAME, "Discount")},
    lambda values, _given, _path: PlanDiscount(**values),
)
SHAPE = Shape(
    "a plan",
    {
        "code": Field(CODE),
        "name": Field(_NAME, ""),
        "currency": Field(Choice(tuple(DIGITS))),
        "interval": Field(Choice(INTERVALS), "MONTH"),
        "interval_count": Field(Count(1, 1000), 1),
        "timezone": Field(Zone(), "UTC"),
        "components": Field(_NODES),
        "discounts": Field(ListOf(_DISCOUNT, 0, 100), ()),
        "minimum": Field(NOT_NEGATIVE, None),
        "effective_at": Field(Instant(), None),
        "migration": Field(Choice(MIGRATIONS), "NEXT_PERIOD"),
    },
    _plan,
)
