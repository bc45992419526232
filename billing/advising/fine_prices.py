"""A plan whose money is counted in far smaller units, so that rounding to cents does not bend its costs."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from billing.documents.amounts import Amount
from billing.documents.nodes import Component, Group, Node, PlanDocument
from billing.documents.prices import (
    Flat,
    Graduated,
    GraduatedPercentage,
    Matrix,
    Package,
    Percentage,
    PerUnit,
    Price,
    TimeOfUse,
    Volume,
)
from metering import numbers

# A cent becomes a 10^40th of it: statements of such a plan are exact to about as many places.
SCALE = 40


class NotScalable(ValueError):
    """A price that takes its amounts from the events: they are not the plan's to scale."""


@numbers.exact()
def of(plan: PlanDocument) -> PlanDocument:
    """The plan with every amount of money times 10^SCALE. Raises NotScalable for `dynamic` prices."""
    return replace(
        plan,
        components=tuple(_node(node) for node in plan.components),
        minimum=_scaled(plan.minimum),
    )


def _node(node: Node) -> Node:
    bounds = {"maximum": _scaled(node.maximum), "minimum": _scaled(node.minimum)}
    if isinstance(node, Group):
        return replace(node, children=tuple(_node(child) for child in node.children), **bounds)
    assert isinstance(node, Component)
    return replace(node, price=_price(node.price), **bounds)


def _price(price: Price) -> Price:
    if type(price) not in _KINDS:
        raise NotScalable(f"a price of the model {price.model} takes its amounts from the events")
    scaled: Price = _KINDS[type(price)](price)
    return scaled


def _scaled(value: Decimal | None) -> Any:
    return None if value is None else value.scaleb(SCALE)


def _amount(amount: Amount | None) -> Any:
    if amount is None:
        return None
    return Amount(_scaled(amount.total), _scaled(amount.compute), _scaled(amount.storage))


def _tiers(price: Graduated | Volume) -> Any:
    return tuple(
        replace(tier, unit_amount=_amount(tier.unit_amount), flat_amount=_scaled(tier.flat_amount))
        for tier in price.tiers
    )


def _percentage(price: Percentage) -> Percentage:
    return replace(
        price,
        rate=_scaled(price.rate),
        fixed_amount=_scaled(price.fixed_amount),
        minimum_per_event=_scaled(price.minimum_per_event),
        maximum_per_event=_scaled(price.maximum_per_event),
    )


def _graduated_percentage(price: GraduatedPercentage) -> GraduatedPercentage:
    tiers = tuple(
        replace(tier, rate=_scaled(tier.rate), flat_amount=_scaled(tier.flat_amount)) for tier in price.tiers
    )
    return replace(price, tiers=tiers)


def _time_of_use(price: TimeOfUse) -> TimeOfUse:
    windows = tuple(replace(each, unit_amount=_amount(each.unit_amount)) for each in price.windows)
    return replace(price, windows=windows, otherwise=_amount(price.otherwise))


def _matrix(price: Matrix) -> Matrix:
    rates = tuple(replace(rate, unit_amount=_amount(rate.unit_amount)) for rate in price.rates)
    return replace(price, rates=rates, otherwise=_amount(price.otherwise))


_KINDS: dict[type[Any], Callable[[Any], Any]] = {
    Flat: lambda price: replace(price, amount=_amount(price.amount)),
    PerUnit: lambda price: replace(price, unit_amount=_amount(price.unit_amount)),
    Package: lambda price: replace(price, package_amount=_amount(price.package_amount)),
    Graduated: lambda price: replace(price, tiers=_tiers(price)),
    Volume: lambda price: replace(price, tiers=_tiers(price)),
    Percentage: _percentage,
    GraduatedPercentage: _graduated_percentage,
    Matrix: _matrix,
    TimeOfUse: _time_of_use,
}
