"""per_unit: a price for each unit."""

from billing.documents.prices import PerUnit
from billing.rating.statement import Step
from billing.rating.use import Use


def steps(price: PerUnit, use: Use) -> list[Step]:
    """The quantity times the price, also of a negative quantity."""
    return [Step.priced(use.quantity, price.unit_amount)]
