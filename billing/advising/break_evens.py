"""Where one plan becomes cheaper than another while a quantity grows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, pairwise

from billing.advising import curves, fine_prices, pricing
from billing.advising.curves import Curve
from billing.advising.pricing import Month
from billing.documents.nodes import Component, PlanDocument
from billing.documents.prices import Graduated, GraduatedPercentage, Package, Volume
from billing.rating import MeterFacts
from metering.documents.errors import DocumentError

PACKAGES_HINTED = 50
POINTS_MIN, POINTS_MAX = 12, 6_000


@dataclass(frozen=True, slots=True)
class Traced:
    """The curve of a plan, by its place among the candidates; or why it has none."""

    place: int
    curve: Curve | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where the cheaper of two plans changes. `below` and `above`: places of the cheaper one on either side.

    `amount`: what both cost there, None where one of them jumps over the other.
    """

    at: Fraction
    until: Fraction
    below: int
    above: int
    amount: Fraction | None
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Cheapest:
    """The plan (by place) that costs least between two quantities."""

    start: Fraction
    end: Fraction
    place: int


def trace(
    plans: Mapping[int, tuple[PlanDocument, Month]],
    *,
    meter: str | None,
    low: Fraction,
    high: Fraction,
    facts: Mapping[str, MeterFacts],
    timezone: str | None,
    work_max: int,
) -> list[Traced]:
    """The curve of each plan (by place) with its month, over a meter's quantity, or a factor of all usage.

    `work_max`: how much there may be to do for one curve, see `billing.rating.work`; one that would take more
    has fewer points, and is not exact.
    """
    found = []
    for place, (plan, whole) in plans.items():
        month = pricing.condensed(whole, plan)
        points_max = work_max // pricing.work_of(plan, [month])
        try:
            fine = fine_prices.of(plan)
            curve = curves.trace(
                _cost(fine, month, meter, facts, timezone),
                low=low,
                high=high,
                hints=list(_hints(plan, month, meter)),
                points_max=max(POINTS_MIN, min(POINTS_MAX, points_max)),
            )
        except (DocumentError, fine_prices.NotScalable) as error:
            found.append(Traced(place, None, str(error)))
            continue
        found.append(Traced(place, curve))
    return found


def between(traced: Sequence[Traced]) -> list[BreakEven]:
    """The break-even points of every pair of plans that have a curve, by quantity."""
    known = [(each.place, each.curve) for each in traced if each.curve is not None]
    found = []
    for (first, one), (second, other) in combinations(known, 2):
        for each in curves.crossings(one, other):
            found.append(
                BreakEven(
                    at=each.at,
                    until=each.until,
                    below=first if each.is_first_before else second,
                    above=first if each.is_first_after else second,
                    amount=None if each.is_jump else one.at(each.at),
                    is_exact=one.is_exact and other.is_exact,
                )
            )
    return sorted(found, key=lambda each: (each.at, each.below, each.above))


def cheapest(traced: Sequence[Traced]) -> list[Cheapest]:
    """Which plan costs least, from the lowest quantity to the highest; the first of equals."""
    known = [(each.place, each.curve) for each in traced if each.curve is not None]
    if not known:
        return []
    cuts = {piece.end for _, curve in known for piece in curve.pieces} | {known[0][1].pieces[0].start}
    for (_, one), (_, other) in combinations(known, 2):
        for crossing in curves.crossings(one, other):
            cuts |= {crossing.at, crossing.until}
    ordered = sorted(cuts)
    found: list[Cheapest] = []
    for start, end in pairwise(ordered):
        middle = (start + end) / 2
        place = min(known, key=lambda each: (each[1].at(middle), each[0]))[0]
        if found and found[-1].place == place:
            start = found.pop().start
        found.append(Cheapest(start, end, place))
    return found


def _cost(
    fine: PlanDocument,
    month: Month,
    meter: str | None,
    facts: Mapping[str, MeterFacts],
    timezone: str | None,
) -> Callable[[Fraction], Fraction]:
    return lambda x: pricing.cost(fine, pricing.varied(month, meter, x), facts=facts, timezone=timezone)


def _hints(plan: PlanDocument, month: Month, meter: str | None) -> Iterator[Fraction]:
    """Quantities at which prices are likely to change: bounds of tiers, packages and free units."""
    for component in plan.all_components():
        if component.meter is None or meter not in (None, component.meter):
            continue
        own = pricing.total_of(month, component.meter)
        if meter is None and own == 0:
            continue
        unit = Fraction(1) if meter is not None else 1 / own
        free = Fraction(component.included.quantity) if component.included else Fraction(0)
        for bound in (Fraction(0), *_bounds(component)):
            yield (bound + free) * unit


def _bounds(component: Component) -> Iterator[Fraction]:
    price = component.price
    if isinstance(price, Graduated | Volume | GraduatedPercentage):
        yield from (Fraction(_known(tier.up_to)) for tier in price.tiers[:-1])
    elif isinstance(price, Package):
        yield from (times * Fraction(price.package_size) for times in range(1, PACKAGES_HINTED + 1))


def _known(up_to: Decimal | None) -> Decimal:
    assert up_to is not None  # only the last tier has no end
    return up_to
