"""graduated: each tier prices the units inside it."""

from fractions import Fraction

from billing.documents.prices import Graduated
from billing.rating import tiers
from billing.rating.statement import Step
from billing.rating.use import Use


def steps(price: Graduated, use: Use) -> list[Step]:
    """What is due by the end of this use less what was due before it, tier by tier.

    A tier's flat amount is due once a unit falls into it, the first tier's always: once, in the first
    version.
    """
    found: list[Step] = []
    before = tiers.inside(price.tiers, use.before)
    after = tiers.inside(price.tiers, use.after)
    for place, ((tier, units_before), (_, units_after)) in enumerate(zip(before, after, strict=True)):
        note = tiers.words(price.tiers, place)
        size = tier.package_size
        units = tiers.packages(units_after, size) - tiers.packages(units_before, size)
        if units or place == 0:
            found.append(Step.priced(units, tier.unit_amount, note=note, units=tiers.packed(size)))
        times = int(use.is_first) if place == 0 else int(units_after > 0) - int(units_before > 0)
        if times and tier.flat_amount:
            found.append(Step.plain(f"{note}: flat" if note else "flat", times * Fraction(tier.flat_amount)))
    return found
