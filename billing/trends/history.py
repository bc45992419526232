"""What models cost on the market, as it was seen over time."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from metering import numbers

FOLDER = Path(__file__).parent / "data"
TOKENCOST, GENAI_PRICES, PACKAGE = SOURCES = ("tokencost", "genai-prices history", "genai-prices")
KINDS = ("input", "output", "cache_read", "cache_write")
UNIT = "USD per million tokens"
NOTE = (
    "Dates are those on which a change was seen in a public list, not the vendor's; the lists are kept by "
    "communities, and hold some errors."
)
_FILES = {
    TOKENCOST: ("llm_price_changes_tokencost_2024_2025.csv", "{}_usd_per_mtok"),
    GENAI_PRICES: ("llm_price_changes_genai_prices_2025_2026.csv", "{}_mtok"),
}
# Some prices of the lists were floats once: 0.18000000000000002
_SIGNIFICANT_DIGITS = 9


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """From this day on a provider's model cost so much for a million tokens, in USD, as a source says."""

    at: date
    provider: str
    model: str
    source: str
    price: Decimal

    def answer(self) -> dict[str, str]:
        """The point as JSON."""
        return {
            "date": self.at.isoformat(),
            "provider": self.provider,
            "model": self.model,
            "price": numbers.text(self.price),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which points are asked for; None stands for any. ``family``: what a model's name begins with."""

    kind: str = "output"
    provider: str | None = None
    model: str | None = None
    family: str | None = None
    first: date | None = None
    last: date | None = None

    def holds(self, point: Point) -> bool:
        """Whether the point is asked for. A model's name is also known without what stands before a slash."""
        name = point.model.rsplit("/", 1)[-1]
        return (
            self.provider in (None, point.provider)
            and self.model in (None, point.model, name)
            and (self.family is None or name.startswith(self.family))
            and (self.first is None or self.first <= point.at)
            and (self.last is None or point.at <= self.last)
        )


def points(chosen: Chosen) -> list[Point]:
    """The prices asked for by day, each change once; prices of 0 are left out."""
    return [point for point in _changes(chosen.kind) if chosen.holds(point)]


def names(kind: str) -> dict[str, list[str]]:
    """The models that have a price of the kind, by provider."""
    found: dict[str, set[str]] = {}
    for point in _changes(kind):
        found.setdefault(point.provider, set()).add(point.model)
    return {provider: sorted(found[provider]) for provider in sorted(found)}


@lru_cache(maxsize=len(KINDS))
def _changes(kind: str) -> tuple[Point, ...]:
    seen: dict[tuple[str, str, str], Decimal] = {}
    found = []
    for point in sorted([*_listed(TOKENCOST, kind), *_listed(GENAI_PRICES, kind), *_packaged(kind)]):
        key = (point.source, point.provider, point.model)
        if seen.get(key) != point.price:
            seen[key] = point.price
            found.append(point)
    return tuple(found)


def _listed(source: str, kind: str) -> Iterator[Point]:
    file, column = _FILES[source]
    with (FOLDER / file).open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            price = _price(row.get(column.format(kind)) or "")
            # A price by the time of day is not one number.
            if price and not row.get("time_of_day"):
                at = row.get("effective_start_date") or row["observed_date"]
                provider = row["provider"] or row["model"].rpartition("/")[0] or "unknown"
                yield Point(date.fromisoformat(at), provider, row["model"], source, price)


def _packaged(kind: str) -> Iterator[Point]:
    """Prices that the installed package dates itself."""
    from genai_prices.data import providers  # a large module
    from genai_prices.types import StartDateConstraint, TieredPrices

    for provider in providers:
        for model in provider.models:
            for each in model.prices if isinstance(model.prices, list) else ():
                found = getattr(each.prices, f"{kind}_mtok", None)
                base = found.base if isinstance(found, TieredPrices) else found
                if base and isinstance(each.constraint, StartDateConstraint):
                    price = _cleaned(base)
                    yield Point(each.constraint.start_date, provider.id, model.id, PACKAGE, price)


def _price(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return _cleaned(value) if value > 0 else None


def _cleaned(value: Decimal) -> Decimal:
    places = _SIGNIFICANT_DIGITS - 1 - value.adjusted()
    return numbers.trimmed(numbers.round_half_up(Fraction(value), places))
