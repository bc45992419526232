"""A number of an estimate: with its unit, the letter of the article that it feeds, and how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from metering import numbers

# F_U = C·U + S·U, F_T = C·T + S·T, F_R = C·R + S·R
COMPUTE, STORAGE, USAGE, TIME, RESOURCE = LETTERS = ("C", "S", "U", "T", "R")
WORDS = {
    COMPUTE: "what computing costs, for each unit of U, T or R",
    STORAGE: "what keeping in memory and on disks costs, for each unit of U, T or R",
    USAGE: "how much is used: calls and tokens; F_U = C·U + S·U",
    TIME: "how long it runs; F_T = C·T + S·T",
    RESOURCE: "which resources it holds: GPUs and GPU-hours; F_R = C·R + S·R",
}
BYTE = "B"
UNITS = {"GB": 10**9, "GiB": 2**30}
SHOWN_PLACES = 2


@dataclass(frozen=True, slots=True)
class Figure:
    """A number. `value` is exact and in `unit`; bytes are also shown in GB or GiB."""

    key: str
    name: str
    letter: str
    value: Fraction
    unit: str
    formula: str
    assumptions: Sequence[str] = ()

    def answer(self, unit: str) -> dict[str, Any]:
        """The figure as JSON; `unit`: in which bytes are shown."""
        shown, exact = numbers.shown(self.value)
        return {
            "key": self.key,
            "name": self.name,
            "letter": self.letter,
            "value": shown,
            **({} if exact is None else {"value_exact": exact}),
            "unit": self.unit,
            "shown": text(self.value, self.unit, unit),
            "formula": self.formula,
            "assumptions": list(self.assumptions),
        }


def plain(value: Fraction | Decimal) -> str:
    """An exact number in a formula, thousands separated."""
    exact = Fraction(value)
    return f"{exact.numerator:,}" if exact.denominator == 1 else numbers.shown(exact)[0]


def text(value: Fraction, unit: str, bytes_in: str) -> str:
    """The value for a person: thousands separated, two decimal places, and below 1 three digits."""
    if unit == BYTE and value >= 10**6:
        value, unit = value / UNITS[bytes_in], bytes_in
    if value.denominator == 1:
        return f"{value.numerator:,} {unit}"
    places = SHOWN_PLACES
    while value and abs(value) * 10**places < 100 and places < numbers.SHOWN_PLACES:
        places += 1
    rounded = numbers.round_half_up(value, places)
    return f"{numbers.trimmed(rounded):,f} {unit}"
