"""How much there is to do in a rating, told before it is done."""

from collections.abc import Sequence
from math import lcm

from billing.documents.nodes import Component
from billing.documents.prices import Graduated, GraduatedPercentage, Matrix, TimeOfUse, Volume
from billing.rating import takes
from billing.rating.inputs import Segment, UsageRow
from metering import periods
from metering.periods import QUARTER_HOUR

# A step of a line costs about as much as so many other prices that are looked at.
STEP = 10
DENOMINATOR_MAX = 10**1000


def of(rows: Sequence[UsageRow], segments: Sequence[Segment]) -> int:
    """About how many times a price is looked at: by each component of each version, for each row that it may
    take, and for each quarter hour of a row that is spread over time; a few microseconds each.
    """
    counts: dict[str, int] = {}
    quarters: dict[str, int] = {}
    for row in rows:
        counts[row.meter] = counts.get(row.meter, 0) + 1
        quarters[row.meter] = quarters.get(row.meter, 0) + _quarters(row)
    return sum(
        1
        + _of_component(
            component, counts.get(component.meter or "", 0), quarters.get(component.meter or "", 0)
        )
        for segment in segments
        for component in segment.plan.all_components()
    )


def has_common_denominator(rows: Sequence[UsageRow]) -> bool:
    """Whether the rows' quantities, spread over their time, can be added up in numbers of bearable length."""
    found = {row.quantity.denominator for row in rows}
    for row in rows:
        if row.at is not None and row.until is not None and row.until > row.at:
            microseconds = periods.microseconds_between(row.at, row.until)
            found.add((row.quantity / microseconds).denominator)
    common = 1
    for denominator in found:
        common = lcm(common, denominator)
        if common > DENOMINATOR_MAX:
            return False
    return True


def _quarters(row: UsageRow) -> int:
    if row.at is None or row.until is None:
        return 1
    return max(1, (row.until - row.at) // QUARTER_HOUR + 1)


def _of_component(component: Component, rows: int, quarters: int) -> int:
    pieces = quarters if takes.orders_quarters(component) else rows
    prices = _prices(component)
    return pieces * prices if isinstance(component.price, TimeOfUse) else pieces + rows * prices


def _prices(component: Component) -> int:
    """How many prices may be looked at for a row: every tier may become a step of its own."""
    price = component.price
    if isinstance(price, Graduated | Volume | GraduatedPercentage):
        return len(price.tiers) * STEP
    if isinstance(price, Matrix):
        return len(price.rates) + 1
    return len(price.windows) if isinstance(price, TimeOfUse) else STEP
