"""Divides a rounded amount so that the parts add up to it again, to the last cent."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from metering import numbers


class AmountNotRounded(ValueError):
    """The amount has more decimal places than its parts may have."""


def parts(*, amount: Decimal, shares: Sequence[Fraction | Decimal | int], digits: int) -> list[Decimal]:
    """The amount divided by exact shares: one part for each share, in their order, with so many digits.

    By the largest remainder: each part is cut towards zero, and the units that are left over go to those that
    lost most by it, of equals to the first; callers who divide over time give the shares in time order.
    Shares are relative (1, 2, 1 are quarters and a half) and not negative; where all are 0 they count alike.
    The parts always add up to the amount, of which a part never has the other sign. Raises AmountNotRounded,
    and ValueError for a negative share or none at all.
    """
    exact = [Fraction(share) for share in shares]
    if not exact or min(exact) < 0:
        raise ValueError("an amount is divided by at least one share, and none of them is negative")
    units = abs(Fraction(amount)) * 10**digits
    if units.denominator != 1:
        raise AmountNotRounded(f"{amount} has more than {digits} decimal places")
    divided = _whole_units(units.numerator, exact if any(exact) else [Fraction(1)] * len(exact))
    sign = -1 if amount < 0 else 1
    with numbers.exact():
        return [Decimal(sign * each).scaleb(-digits) if each else _zero(digits) for each in divided]


def _whole_units(units: int, shares: Sequence[Fraction]) -> list[int]:
    total = sum(shares, Fraction(0))
    wanted = [units * share / total for share in shares]
    divided = [int(each) for each in wanted]
    by_loss = sorted(range(len(shares)), key=lambda place: divided[place] - wanted[place])
    for place in by_loss[: units - sum(divided)]:
        divided[place] += 1
    return divided


def _zero(digits: int) -> Decimal:
    return Decimal(0).scaleb(-digits)
