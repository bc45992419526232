"""What an hour of a rented GPU cost: collected prices, told apart by how they were found."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from billing.trends import fits
from billing.trends.history import FOLDER
from metering import numbers

FILE = "gpu_rental_price_points.csv"
SOURCE_KINDS = ("transcribed", "mirror", "secondary")
UNIT = "USD per GPU-hour"
# Within less than a year prices differ by provider and terms more than by time.
TURN_DAYS_MIN = 365


@dataclass(frozen=True, slots=True)
class Rental:
    """A price of a GPU-hour in USD: of which GPU, whose, on which terms, and who says so.

    ``family``: the GPU without its memory and form, such as H100 for H100 SXM.
    """

    at: date
    gpu: str
    provider: str
    tier: str
    price: Decimal
    basis: str
    source: str
    source_kind: str

    @property
    def family(self) -> str:
        return self.gpu.split(" ")[0]

    def answer(self) -> dict[str, str]:
        """The price as JSON."""
        return {
            "date": self.at.isoformat(),
            "gpu": self.gpu,
            "family": self.family,
            "provider": self.provider,
            "tier": self.tier,
            "price": numbers.text(self.price),
            "basis": self.basis,
            "source": self.source,
            "source_kind": self.source_kind,
        }


@lru_cache(maxsize=1)
def rentals() -> tuple[Rental, ...]:
    """All collected prices by day."""
    with (FOLDER / FILE).open(newline="", encoding="utf-8") as stream:
        found = [
            Rental(
                at=date.fromisoformat(row["date"]),
                gpu=row["gpu"],
                provider=row["provider_or_index"],
                tier=row["tier"],
                price=Decimal(row["usd_per_gpu_hour"]),
                basis=row["basis"],
                source=row["source"],
                source_kind=row["source_kind"],
            )
            for row in csv.DictReader(stream)
        ]
    return tuple(sorted(found, key=lambda each: each.at))


def families() -> list[str]:
    """The families that have a price."""
    return sorted({each.family for each in rentals()})


def answer(*, family: str | None = None, source_kind: str | None = None) -> dict[str, Any]:
    """The prices of a family (None: all) as JSON, and for each kind of source its trend and its turn."""
    found = [
        each
        for each in rentals()
        if family in (None, each.family) and source_kind in (None, each.source_kind)
    ]
    kinds = [kind for kind in SOURCE_KINDS if any(each.source_kind == kind for each in found)]
    return {
        "unit": UNIT,
        "families": families(),
        "points": [each.answer() for each in found],
        "by_source_kind": [
            _of_kind(kind, [each for each in found if each.source_kind == kind]) for kind in kinds
        ],
    }


def _of_kind(kind: str, found: Sequence[Rental]) -> dict[str, Any]:
    return {
        "source_kind": kind,
        "points": len(found),
        **fit_of([(each.at, each.price) for each in found]),
        "turn": _turn(found),
    }


def _turn(found: Sequence[Rental]) -> dict[str, str] | None:
    """The first, the lowest and the last price where it fell and rose again; one line hides such a V."""
    first, last = found[0], found[-1]
    lowest = min(found, key=lambda each: each.price)
    is_long = (last.at - first.at).days >= TURN_DAYS_MIN
    if not (is_long and first.at < lowest.at < last.at and lowest.price < min(first.price, last.price)):
        return None
    return {
        f"{name}_{key}": value
        for name, each in (("first", first), ("lowest", lowest), ("last", last))
        for key, value in (("date", each.at.isoformat()), ("price", numbers.text(each.price)))
    }


def fit_of(prices: Sequence[tuple[date, Decimal]]) -> dict[str, Any]:
    """The fit of dated prices as JSON, or why there is none: {"fit", "fit_refused"}."""
    try:
        return {"fit": fits.fit(prices).answer(), "fit_refused": None}
    except fits.FitRefused as error:
        return {"fit": None, "fit_refused": str(error)}
