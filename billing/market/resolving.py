"""Catalogue prices of a plan made into matrices, when the plan is published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from billing.documents import plan as plans
from billing.documents.nodes import Component, Group, Node, PlanDocument
from billing.documents.plan_checks import placed
from billing.documents.prices import Catalogue, Matrix
from metering import numbers, periods
from metering.documents.errors import DocumentError
from metering.documents.meter import MeterDefinition


@dataclass(frozen=True, slots=True)
class Resolution:
    """A plan document with fixed prices, and where they come from: {"name", "version", "at"} of each
    component's code.
    """

    document: dict[str, Any]
    sources: dict[str, dict[str, str]]


def has_catalogue(plan: PlanDocument) -> bool:
    """Whether a price of the plan is still to be looked up."""
    return any(isinstance(component.price, Catalogue) for component in plan.all_components())


def resolve(
    plan: PlanDocument, meters: Mapping[str, MeterDefinition], at: datetime, path: str = "plan"
) -> PlanDocument:
    """The plan with matrices in place of catalogue prices.

    `at`: which dated prices are meant where the plan does not say. `path`: of the plan, for messages. Raises
    DocumentError for a plan in another currency than USD, for prices by context that the meter cannot tell
    apart, and for prices by time of day.
    """
    if not has_catalogue(plan):
        return plan
    matrices = _matrices(plan, meters, at, path)
    return replace(plan, components=tuple(_replaced(node, matrices) for node in plan.components))


def resolved_document(
    document: Any, meters: Mapping[str, MeterDefinition], at: datetime, path: str = "plan"
) -> Resolution:
    """The document of a plan with matrices in place of catalogue prices, to be stored beside it. Raises as
    `resolve`.
    """
    plan = plans.parse(document, path)
    if not has_catalogue(plan):
        return Resolution(document, {})
    matrices = _matrices(plan, meters, at, path)
    sources = {
        component.code: _source(component.price, at)
        for component in plan.all_components()
        if isinstance(component.price, Catalogue)
    }
    return Resolution({**document, "components": _written(document["components"], matrices)}, sources)


def _matrices(
    plan: PlanDocument, meters: Mapping[str, MeterDefinition], at: datetime, plan_path: str
) -> dict[str, Matrix]:
    # the source is a large module, loaded only for plans that need it
    from billing.market import matrices

    found = {}
    for node, path, _ in placed(plan.components, plan_path):
        if isinstance(node, Component) and isinstance(node.price, Catalogue):
            if plan.currency != "USD":
                raise DocumentError(
                    "currency", "market prices are in USD, and so must the plan be", f"{path}.price"
                )
            definition = meters.get(node.meter or "")
            found[node.code] = matrices.of(node, node.price, definition, at, f"{path}.price")
    return found


def _source(price: Catalogue, at: datetime) -> dict[str, str]:
    from billing.market import source

    return {"name": source.NAME, "version": source.VERSION, "at": periods.format_instant(price.at or at)}


def _replaced(node: Node, matrices: Mapping[str, Matrix]) -> Node:
    if isinstance(node, Group):
        return replace(node, children=tuple(_replaced(child, matrices) for child in node.children))
    return replace(node, price=matrices[node.code]) if node.code in matrices else node


def _written(components: list[dict[str, Any]], matrices: Mapping[str, Matrix]) -> list[dict[str, Any]]:
    found = []
    for each in components:
        if "components" in each:
            found.append({**each, "components": _written(each["components"], matrices)})
        elif each["code"] in matrices:
            found.append({**each, "price": _matrix_document(matrices[each["code"]])})
        else:
            found.append(each)
    return found


def _matrix_document(matrix: Matrix) -> dict[str, Any]:
    document: dict[str, Any] = {
        "model": matrix.model,
        "by": list(matrix.by),
        "rates": [
            {
                "when": {name: list(values) for name, values in rate.when},
                "unit_amount": numbers.text(rate.unit_amount.total),
            }
            for rate in matrix.rates
        ],
    }
    if matrix.otherwise is not None:
        amount = matrix.otherwise
        document["otherwise"] = (
            numbers.text(amount.total)
            if amount.compute is None or amount.storage is None
            else {"compute": numbers.text(amount.compute), "storage": numbers.text(amount.storage)}
        )
    return document
