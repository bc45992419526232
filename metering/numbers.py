"""Exact numbers: decimal texts, fractions, and the one rounding of money. No float comes near."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import (
    ROUND_HALF_UP,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
    localcontext,
)
from fractions import Fraction

PRECISION = 200
INTEGER_DIGITS = 20
DECIMAL_PLACES = 18
SHOWN_PLACES = 30
SHOWN_SCALE = 10**SHOWN_PLACES
SHOWN_DIGITS = 12
TEXT_LENGTH_MAX = 60

_EXACT = Context(
    prec=PRECISION,
    rounding=ROUND_HALF_UP,
    traps=[Clamped, DivisionByZero, FloatOperation, Inexact, InvalidOperation, Overflow, Underflow],
)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_RATIO = re.compile(r"(-?(?:0|[1-9][0-9]{0,59}))/([1-9][0-9]{0,59})")


class NumberInvalid(ValueError):
    """A text that is no number of the accepted grammar, or one with too many digits."""


class DecimalDoesNotEnd(ArithmeticError):
    """A fraction that no decimal equals, such as 1/3."""


@contextmanager
def exact() -> Iterator[Context]:
    """A decimal context in which a lost digit, a float or a division by zero raises."""
    with localcontext(_EXACT) as context:
        yield context


def parse_decimal(
    value: object, *, integer_digits: int = INTEGER_DIGITS, decimal_places: int = DECIMAL_PLACES
) -> Decimal:
    """The decimal of a text such as "0.000003" or "1e-05", or of an int.

    Digits are counted by value: "1.000" has no decimal places. At most 60 characters. Raises NumberInvalid.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise NumberInvalid('a number is written as text, such as "0.15"')
    if isinstance(value, int):
        if abs(value) >= 10**TEXT_LENGTH_MAX:
            raise NumberInvalid("the number has too many digits")
        value = str(value)
    if len(value) > TEXT_LENGTH_MAX or _NUMBER.fullmatch(value) is None:
        raise NumberInvalid(f"{value[:TEXT_LENGTH_MAX]!r} is no number such as 12, 0.15 or 1e-05")
    number = trimmed(Decimal(value))
    if not is_within(number, integer_digits=integer_digits, decimal_places=decimal_places):
        raise NumberInvalid(
            f"{value} has more than {integer_digits} digits before or {decimal_places} after the point"
        )
    return number


def trimmed(value: Decimal) -> Decimal:
    """The same value without trailing zeros after the decimal point, without exponent, and without a
    negative zero.
    """
    with exact():
        if value == 0:
            return Decimal(0)
        short = value.normalize()
        return short.quantize(Decimal(1)) if _exponent(short) > 0 and short.adjusted() < PRECISION else short


def _exponent(value: Decimal) -> int:
    """The power of ten of a finite decimal's last digit."""
    return int(value.as_tuple().exponent)


def is_within(
    value: Decimal, *, integer_digits: int = INTEGER_DIGITS, decimal_places: int = DECIMAL_PLACES
) -> bool:
    """Whether the value has at most so many digits before and after the decimal point, trailing zeros not
    counted.
    """
    if not value.is_finite():
        return False
    if value == 0:
        return True
    digits = value.as_tuple().digits
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    places = -(_exponent(value) + zeros)
    return value.adjusted() < integer_digits and places <= decimal_places


def parse_quantity(value: object) -> Fraction:
    """The quantity of a decimal, or of a fraction "p/q" of at most 60 digits each. Raises NumberInvalid."""
    if isinstance(value, str) and "/" in value:
        match = _RATIO.fullmatch(value)
        if match is None:
            raise NumberInvalid(f"{value[:125]!r} is no fraction such as 1274317/3 of at most 60 digits each")
        return Fraction(int(match.group(1)), int(match.group(2)))
    return Fraction(parse_decimal(value))


def text(value: Decimal) -> str:
    """The shortest plain decimal text of a value: no exponent, no trailing zeros, no minus before zero."""
    return f"{trimmed(value):f}"


def ends(value: Fraction) -> bool:
    """Whether a decimal of any length equals the fraction."""
    denominator = value.denominator
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    return denominator == 1


def to_decimal(value: Fraction) -> Decimal:
    """The decimal that equals the fraction. Raises DecimalDoesNotEnd when there is none within 200 digits."""
    if value.denominator == 1:
        return Decimal(value.numerator)
    if not ends(value):
        raise DecimalDoesNotEnd(f"{value} is no finite decimal")
    with exact():
        return Decimal(value.numerator) / Decimal(value.denominator)


def shown(value: Fraction) -> tuple[str, str | None]:
    """The text of a fraction for a person, and "p/q" where that text is not exact (else None).

    A decimal that ends within 30 places is shown in full; any other to 12 significant digits, half up.
    """
    # Within 30 places there is a decimal exactly where 10^30 times the value is whole.
    if SHOWN_SCALE % value.denominator == 0:
        return f"{trimmed(to_decimal(value)):f}", None
    return _significant(value), f"{value.numerator}/{value.denominator}"


def _significant(value: Fraction) -> str:
    magnitude = abs(value)
    exponent = len(str(magnitude.numerator)) - len(str(magnitude.denominator))
    if magnitude < Fraction(10) ** exponent:
        exponent -= 1
    places = SHOWN_DIGITS - 1 - exponent
    rounded = round_half_up(value, places)
    if abs(rounded) >= Decimal(10) ** (exponent + 1):  # 9.99... became 10.0...: one digit too many
        rounded = round_half_up(value, places - 1)
    return f"{rounded:f}"


def round_half_up(value: Fraction, digits: int) -> Decimal:
    """The value rounded to `digits` decimal places, halves away from zero: 0.005 to 0.01, -0.005 to -0.01.

    The answer has exactly `digits` places; a negative `digits` rounds to tens, hundreds and so on.
    """
    scaled = abs(value) * Fraction(10) ** digits
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    with exact():
        rounded = Decimal(-units if value < 0 else units).scaleb(-digits)
        return rounded if digits >= 0 else rounded.quantize(Decimal(1))
