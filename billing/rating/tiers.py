"""Tiers: how much of a quantity lies in each, and in words."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Protocol, TypeVar

from metering import numbers

ZERO = Fraction(0)


class Bounded(Protocol):
    """Anything that ends at `up_to`, inclusive, or never (None)."""

    @property
    def up_to(self) -> Decimal | None: ...


T = TypeVar("T", bound=Bounded)


def inside(tiers: Sequence[T], quantity: Fraction) -> Iterator[tuple[T, Fraction]]:
    """Each tier with the units of the quantity that lie in it; a negative quantity lies in the first."""
    low = ZERO
    for place, tier in enumerate(tiers):
        below = quantity if tier.up_to is None else min(quantity, Fraction(tier.up_to))
        yield tier, below if place == 0 else max(ZERO, below - low)
        low = ZERO if tier.up_to is None else Fraction(tier.up_to)


def holding(tiers: Sequence[T], quantity: Fraction) -> int:
    """The place of the tier that holds the quantity, a negative one the first."""
    return next(place for place, tier in enumerate(tiers) if tier.up_to is None or quantity <= tier.up_to)


def packages(units: Fraction, size: Decimal | None) -> Fraction:
    """The units, or where they come in packages the whole packages begun (of a negative number: rounded
    up, too).
    """
    return units if size is None else Fraction(ceil(units / Fraction(size)))


def words(tiers: Sequence[Bounded], place: int) -> str:
    """The tier in words: "first 100", "over 100 up to 200", "over 200"; "" for the only one."""
    up_to = tiers[place].up_to
    if place == 0:
        return "" if up_to is None else f"first {numbers.text(up_to)}"
    low = tiers[place - 1].up_to
    assert low is not None  # only the last tier has no end
    end = "" if up_to is None else f" up to {numbers.text(up_to)}"
    return f"over {numbers.text(low)}{end}"


def packed(size: Decimal | None) -> str:
    """What follows a number of packages in a step: " packages of 10", or nothing."""
    return "" if size is None else f" packages of {numbers.text(size)}"
