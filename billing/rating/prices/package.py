"""package: a price for each package begun, over the whole period."""

from billing.documents.prices import Package
from billing.rating import tiers
from billing.rating.statement import Step
from billing.rating.use import Use


def steps(price: Package, use: Use) -> list[Step]:
    """The packages begun by the end of this use, less those begun before it."""
    size = price.package_size
    count = tiers.packages(use.after, size) - tiers.packages(use.before, size)
    return [Step.priced(count, price.package_amount, units=tiers.packed(size))]
