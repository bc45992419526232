"""Plans as values: components and groups in the order of the invoice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.documents.prices import Price

USAGE, DURATION, RESOURCE, FIXED = MODES = ("USAGE", "DURATION", "RESOURCE", "FIXED")
IN_ARREARS, IN_ADVANCE = "IN_ARREARS", "IN_ADVANCE"
PERIOD, DAY, HOUR = "PERIOD", "DAY", "HOUR"
GREATEST, LEAST = "GREATEST", "LEAST"
MIGRATIONS = ("AT_ONCE", "NEXT_PERIOD", "NEVER")
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Included:
    """Free units, once a billing period, or in every local day or hour that it touches."""

    quantity: Decimal
    every: str


@dataclass(frozen=True, slots=True)
class Component:
    """One priced thing. Without `meter` it is fixed and prices its own `quantity`. `mode` None: the
    meter's, or FIXED.
    """

    code: str
    name: str
    mode: str | None
    meter: str | None
    quantity: Decimal
    where: tuple[tuple[str, tuple[str, ...]], ...]
    per: tuple[str, ...]
    included: Included | None
    price: Price
    discount_percent: Decimal
    maximum: Decimal | None
    minimum: Decimal | None
    timing: str
    prorate: bool
    allow_negative: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Components and groups billed together: all of them, the dearest or the cheapest."""

    code: str
    name: str
    combine: str
    children: "tuple[Component | Group, ...]"
    discount_percent: Decimal
    maximum: Decimal | None
    minimum: Decimal | None


Node = Component | Group


@dataclass(frozen=True, slots=True)
class PlanDiscount:
    """A percentage off the whole plan."""

    percent: Decimal
    name: str


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """A plan, parsed, with its defaults."""

    code: str
    name: str
    currency: str
    interval: str
    interval_count: int
    timezone: str
    components: tuple[Node, ...]
    discounts: tuple[PlanDiscount, ...]
    minimum: Decimal | None
    effective_at: datetime | None
    migration: str

    def nodes(self) -> Iterator[Node]:
        """All components and groups, each group before its children, in the order of the invoice."""
        for node in self.components:
            yield from _nodes(node)

    def all_components(self) -> Iterator[Component]:
        """All components, those of groups included, in the order of the invoice."""
        return (node for node in self.nodes() if isinstance(node, Component))

    def component(self, code: str) -> Component | None:
        """The component of a code, or None."""
        return next((each for each in self.all_components() if each.code == code), None)

    def meters(self) -> frozenset[str]:
        """The slugs of the meters that components name."""
        return frozenset(each.meter for each in self.all_components() if each.meter is not None)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Group):
        for child in node.children:
            yield from _nodes(child)
