"""What rating is given: versions of a plan, usage, facts about meters, and what was billed already."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.documents.nodes import PlanDocument
from metering.documents.meter import MeterDefinition


@dataclass(frozen=True, slots=True)
class Segment:
    """A version of a plan and when it was in force, [start, end). `version` names it in steps."""

    plan: PlanDocument
    start: datetime
    end: datetime
    version: str = ""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A quantity of a meter, in the meter's unit (already divided by its `per`).

    `at`: when (None: at the start of the billed period); with `until` it is spread evenly over [at, until).
    `count`: how many events it stands for. A single event, for prices that look at events, also has its
    `source` and `id`, which order events of one instant, and its `data`. `component`: the code of the only
    component that the row is for, where a meter that does not add up was measured for it, over what it takes.
    `field`: where an error about the row points to.
    """

    meter: str
    quantity: Fraction
    at: datetime | None = None
    until: datetime | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    count: int = 1
    source: str = ""
    id: str = ""
    data: Mapping[str, Any] | None = None
    component: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What rating needs to know of a meter. One that nobody knows has no unit, adds up, and has mode
    USAGE.
    """

    slug: str
    unit: str = ""
    mode: str = "USAGE"
    additive: bool = True

    @classmethod
    def of(cls, definition: MeterDefinition) -> "MeterFacts":
        """The facts of a meter's definition."""
        return cls(definition.slug, definition.unit, definition.mode, definition.additive)


@dataclass(frozen=True, slots=True)
class Billed:
    """The rounded amount of a line that earlier invoices of the same service period carry, less their credit
    notes.

    A plan discount counts too: kind plan_discount, `component` its place in the plan's discounts, amount
    negative.
    """

    component: str | None
    group: str | None
    dimensions: Mapping[str, str]
    kind: str
    amount: Decimal
