"""A sum and the number of events in it: the partial of everything that is added."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from metering import numbers


@dataclass(frozen=True, slots=True)
class Tally:
    """`quantity`: an exact sum. `count`: how many events count in it; an event counts once, also when it
    is split.
    """

    quantity: Decimal
    count: int


def merge(left: Tally, right: Tally) -> Tally:
    """Both together, in any order."""
    with numbers.exact():
        return Tally(left.quantity + right.quantity, left.count + right.count)


def value(tally: Tally) -> Fraction:
    """The sum."""
    return Fraction(tally.quantity)
