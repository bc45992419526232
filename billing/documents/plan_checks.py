"""What must hold in a plan beyond the shape of each field."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from billing.documents import currencies, prices
from billing.documents.nodes import GREATEST, IN_ADVANCE, LEAST, PERIOD, Component, Group, Node, PlanDocument
from billing.documents.prices import (
    CATALOGUE_DIMENSIONS,
    Catalogue,
    Dynamic,
    Flat,
    Graduated,
    Matrix,
    Package,
    Percentage,
    PerUnit,
    TimeOfUse,
    Volume,
)
from metering import numbers
from metering.documents.errors import DocumentError, invalid, joined, suggestion
from metering.documents.meter import COUNT, RESERVED_DIMENSION, SUM, MeterDefinition

_FIXED_MODELS = (Flat, PerUnit, Package, Graduated, Volume)
_EVENT_MODELS = (Percentage, Dynamic)


def check_plan(plan: PlanDocument, path: str) -> None:
    """Raises DocumentError where codes repeat, bounds contradict, timing is impossible or a currency is
    foreign.
    """
    seen: dict[str, str] = {}
    check_minor_digits(plan.minimum, plan.currency, joined(path, "minimum"))
    for node, place, in_choice in placed(plan.components, path):
        if node.code in seen:
            raise invalid(f"the code {node.code} is that of {seen[node.code]} too", joined(place, "code"))
        seen[node.code] = place
        if isinstance(node, Group):
            check_bounds(node, plan.currency, place)
        else:
            check_component(node, plan.currency, in_choice=in_choice, path=place)


def placed(nodes: Iterable[Node], path: str, in_choice: bool = False) -> Iterable[tuple[Node, str, bool]]:
    """Every node with its path, and whether a GREATEST or LEAST group holds it at any depth."""
    for number, node in enumerate(nodes):
        place = f"{path}.components[{number}]"
        yield node, place, in_choice
        if isinstance(node, Group):
            yield from placed(node.children, place, in_choice or node.combine in (GREATEST, LEAST))


def check_component(component: Component, currency: str, *, in_choice: bool, path: str) -> None:
    """Raises DocumentError where the component's parts do not go together."""
    price, place = component.price, joined(path, "price")
    check_bounds(component, currency, path)
    if component.meter is None and not isinstance(price, _FIXED_MODELS):
        raise invalid(f"{price.model} prices usage and needs a meter", place)
    if component.meter is None and component.included is not None:
        raise invalid("needs a meter", joined(path, "included"))
    if component.included is not None and isinstance(price, (Flat, *_EVENT_MODELS)):
        raise invalid(f"means nothing for {price.model}", joined(path, "included"))
    if component.timing == IN_ADVANCE:
        _check_advance(component, in_choice, joined(path, "timing"))
    if isinstance(price, _EVENT_MODELS):
        declared = price.amount_currency
        if declared is not None and prices.is_currency(declared) and declared != currency:
            raise DocumentError(
                "currency", f"is {declared}, but the plan is in {currency}", joined(place, "amount_currency")
            )


def _check_advance(component: Component, in_choice: bool, path: str) -> None:
    if component.meter is not None:
        raise invalid("usage cannot be billed in advance", path)
    if component.maximum is not None or component.minimum is not None:
        raise invalid("a component with a maximum or a minimum cannot be billed in advance", path)
    if in_choice:
        raise invalid(
            "a choice of the dearest or cheapest is made at the end: nothing in it is billed in advance", path
        )


def check_bounds(node: Component | Group, currency: str, path: str) -> None:
    """Raises DocumentError for a maximum below the minimum, and for digits that the currency does not
    have.
    """
    for key, bound in (("maximum", node.maximum), ("minimum", node.minimum)):
        check_minor_digits(bound, currency, joined(path, key))
    if node.maximum is not None and node.minimum is not None and node.maximum < node.minimum:
        raise invalid(
            f"the maximum {node.maximum} is below the minimum {node.minimum}", joined(path, "maximum")
        )


def check_minor_digits(bound: Decimal | None, currency: str, path: str) -> None:
    """Raises DocumentError for a bound that no amount of the currency can equal."""
    digits = currencies.digits(currency)
    if bound is not None and not numbers.is_within(bound, decimal_places=digits):
        raise DocumentError(
            "currency", f"{bound} has more decimal places than {currency} has ({digits})", path
        )


def check_meters(plan: PlanDocument, meters: Mapping[str, MeterDefinition], path: str = "plan") -> None:
    """Raises DocumentError where a component asks of a known meter what such a meter cannot give.

    Meters that are not among `meters` are not checked.
    """
    for component, definition, place in _metered(plan, meters, path):
        _check_meter(component, definition, place)


def _metered(
    plan: PlanDocument, meters: Mapping[str, MeterDefinition], path: str
) -> Iterable[tuple[Component, MeterDefinition, str]]:
    for node, place, _ in placed(plan.components, path):
        if isinstance(node, Component) and node.meter is not None and node.meter in meters:
            yield node, meters[node.meter], place


def _check_meter(component: Component, definition: MeterDefinition, path: str) -> None:
    price, kind = component.price, definition.aggregation
    if isinstance(price, _EVENT_MODELS) and kind not in (COUNT, SUM):
        raise invalid(
            f"{price.model} needs a meter of COUNT or SUM; {definition.slug} is {kind}", joined(path, "price")
        )
    if definition.additive:
        return
    if isinstance(price, TimeOfUse):
        raise invalid(
            f"{price.model} needs a meter that adds up; {definition.slug} is {kind}", joined(path, "price")
        )
    if component.included is not None and component.included.every != PERIOD:
        raise invalid(
            f"{component.included.every} needs a meter that adds up; {definition.slug} is {kind}",
            joined(path, "included"),
        )


def check_dimensions(plan: PlanDocument, meters: Mapping[str, MeterDefinition], path: str = "plan") -> None:
    """Raises DocumentError where a component names a dimension that its known meter does not have."""
    for component, definition, place in _metered(plan, meters, path):
        _check_dimensions(component, definition, place)


def check_meter(component: Component, definition: MeterDefinition, path: str) -> None:
    """Raises DocumentError as `check_meters` and `check_dimensions`, of one component and its meter."""
    _check_meter(component, definition, path)
    _check_dimensions(component, definition, path)


def _check_dimensions(component: Component, definition: MeterDefinition, path: str) -> None:
    known = [*definition.dimension_names, RESERVED_DIMENSION]
    for name, where in _named(component):
        if name not in known:
            near = suggestion(name, known)
            raise invalid(f"the meter {definition.slug} has no dimension {name}{near}", joined(path, where))


def _named(component: Component) -> Iterable[tuple[str, str]]:
    yield from ((name, "where") for name, _ in component.where)
    yield from ((name, "per") for name in component.per)
    if isinstance(component.price, Matrix):
        yield from ((name, "price.by") for name in component.price.by)
    if isinstance(component.price, Catalogue):
        yield from ((name, "price") for name in CATALOGUE_DIMENSIONS)
