"""graduated_percentage: each tier takes its rate of the part inside it."""

from fractions import Fraction

from billing.documents.prices import GraduatedPercentage
from billing.rating import tiers
from billing.rating.statement import Step
from billing.rating.use import Use
from metering import numbers


def steps(price: GraduatedPercentage, use: Use) -> list[Step]:
    """What is due by the end of this use less what was due before it, tier by tier; flat amounts as in
    graduated.
    """
    found: list[Step] = []
    before = tiers.inside(price.tiers, use.before)
    after = tiers.inside(price.tiers, use.after)
    for place, ((tier, units_before), (_, units_after)) in enumerate(zip(before, after, strict=True)):
        words = tiers.words(price.tiers, place)
        note = f"{words}: " if words else ""
        part = units_after - units_before
        if part or place == 0:
            label = f"{note}{numbers.text(tier.rate)}% of {numbers.shown(part)[0]}"
            amount = part * Fraction(tier.rate) / 100
            found.append(Step(label, part, None, amount, None if amount else Fraction(0)))
        times = int(use.is_first) if place == 0 else int(units_after > 0) - int(units_before > 0)
        if times and tier.flat_amount:
            found.append(Step.plain(f"{note}flat", times * Fraction(tier.flat_amount)))
    return found
