"""flat: an amount once a period, whatever the quantity."""

from fractions import Fraction

from billing.documents.prices import Flat
from billing.rating.statement import Step
from billing.rating.use import Use


def steps(price: Flat, use: Use) -> list[Step]:
    """The amount, once."""
    return [Step.priced(Fraction(1), price.amount)]
