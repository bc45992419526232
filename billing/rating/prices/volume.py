"""volume: all units at the price of the tier that holds their number."""

from fractions import Fraction

from billing.documents.prices import Volume
from billing.rating import tiers
from billing.rating.statement import Step
from billing.rating.use import Use


def steps(price: Volume, use: Use) -> list[Step]:
    """The units of this use at the tier that holds the whole period's, and its flat amount with the last
    version.
    """
    place = tiers.holding(price.tiers, use.whole)
    tier, note = price.tiers[place], tiers.words(price.tiers, place)
    size = tier.package_size
    units = tiers.packages(use.after, size) - tiers.packages(use.before, size)
    found = [Step.priced(units, tier.unit_amount, note=note, units=tiers.packed(size))]
    if use.is_last and tier.flat_amount:
        found.append(Step.plain(f"{note}: flat" if note else "flat", Fraction(tier.flat_amount)))
    return found
