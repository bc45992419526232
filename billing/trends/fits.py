"""By which factor prices fell in a year: a straight line through their logarithms.

Statistics, not money: this is computed in floating point, and no amount is ever made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from math import exp, inf, isfinite, lgamma, log, pi, sqrt

POINTS_MIN = 4
DAYS_A_YEAR = 365.25
CONFIDENCE = 0.90
_STEPS = 2000
_DIGITS = 4


class FitRefused(ValueError):
    """The prices say nothing about a trend; the message says why."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Prices fell to 1/``factor`` in a year (below 1: they rose); ``low`` and ``high``: 90 % interval.

    ``points``: how many prices it is made of, from ``first`` to ``last``.
    """

    factor: float
    low: float
    high: float
    points: int
    first: date
    last: date

    def answer(self) -> dict[str, object]:
        """The fit as JSON."""
        return {
            "factor_a_year": _text(self.factor),
            "low": _text(self.low),
            "high": _text(self.high),
            "confidence_percent": "90",
            "points": self.points,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "words": self.words,
        }

    @property
    def words(self) -> str:
        """The fit as a sentence."""
        verb = "fell" if self.factor >= 1 else "rose"
        factor = self.factor if self.factor >= 1 else 1 / self.factor
        return (
            f"Prices {verb} by a factor of {_text(factor)} a year (90 % interval of the fall: "
            f"{_text(self.low)} to {_text(self.high)}, {self.points} points)."
        )


def fit(prices: Sequence[tuple[date, Decimal]]) -> Fit:
    """The fit of dated prices, which are above 0.

    Least squares of ln(price) over years; the interval is Student's t with two degrees of freedom less than
    points. Raises FitRefused for fewer than 4 points, or all of one day.
    """
    count = len(prices)
    if count < POINTS_MIN:
        raise FitRefused(f"a trend needs at least {POINTS_MIN} prices, and there are {count}")
    first, last = min(at for at, _ in prices), max(at for at, _ in prices)
    if first == last:
        raise FitRefused("all prices are of one day")
    years = [(at - first).days / DAYS_A_YEAR for at, _ in prices]
    logs = [log(price) for _, price in prices]
    mean_x, mean_y = sum(years) / count, sum(logs) / count
    spread = sum((x - mean_x) ** 2 for x in years)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(years, logs, strict=True)) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(years, logs, strict=True))
    reach = quantile((1 + CONFIDENCE) / 2, count - 2) * sqrt(rest / (count - 2) / spread)
    return Fit(_power(-slope), _power(-slope - reach), _power(-slope + reach), count, first, last)


@lru_cache(maxsize=1024)
def quantile(share: float, degrees: int) -> float:
    """The value below which Student's t of so many degrees of freedom lies with a probability of >= 0.5."""
    low, high = 0.0, 1.0
    while _below(high, degrees) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, degrees) < share else (low, middle)
    return (low + high) / 2


def _below(t: float, degrees: int) -> float:
    """The probability of a value below t, by Simpson's rule over the density."""
    scale = exp(lgamma((degrees + 1) / 2) - lgamma(degrees / 2)) / sqrt(degrees * pi)
    width = t / _STEPS
    weights = (1 if k in (0, _STEPS) else 4 if k % 2 else 2 for k in range(_STEPS + 1))
    inside: float = sum(
        weight * (1 + (k * width) ** 2 / degrees) ** (-(degrees + 1) / 2) for k, weight in enumerate(weights)
    )
    return 0.5 + scale * inside * width / 3


def _power(exponent: float) -> float:
    try:
        return exp(exponent)
    except OverflowError:
        return inf


def _text(value: float) -> str:
    """Four significant digits, no exponent."""
    return f"{Decimal(f'{value:.{_DIGITS}g}'):f}" if isfinite(value) else "infinite"
