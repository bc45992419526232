"""The prices that the package genai-prices knows, as exact numbers for one unit.

The package's own totals are never used: in them a missing price counts as zero.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from importlib.metadata import version

from genai_prices.data import providers
from genai_prices.data_units import unit_data
from genai_prices.types import ConditionalPrice, ModelInfo, Provider, TieredPrices, TimeOfDateConstraint

from metering import numbers

NAME = "genai-prices"
VERSION = version(NAME)
# some prices of the source were floats once: 0.18000000000000002
SIGNIFICANT_DIGITS = 9
_PER = {unit["price_key"]: unit["per"] for unit in unit_data.values()}
# other units keep their name: input_mchars is another price of input
_SUFFIXES = ("_mtok", "_kcount")


class PriceNameUnknown(ValueError):
    """A name that is no kind of price of the source; the argument lists the known ones."""


@dataclass(frozen=True, slots=True)
class MarketPrice:
    """What one unit costs in USD. `tiers` are (bound, price) ascending: requests with more input than the
    bound pay it.

    `model` is the name that was asked for, or the source's own. `is_by_time`: the price depends on the time
    of day, and is not one number.
    """

    provider: str
    model: str
    price: Fraction
    tiers: tuple[tuple[Decimal, Fraction], ...]
    is_by_time: bool


def price_names() -> dict[str, str]:
    """The source's key of each kind of price by its short name: input, output, cache_read, cache_write ..."""
    return {_short(key): key for key in _PER}


def _short(key: str) -> str:
    return next((key.removesuffix(suffix) for suffix in _SUFFIXES if key.endswith(suffix)), key)


def prices(
    name: str, at: datetime, *, of_providers: Collection[str] = (), of_models: Collection[str] = ()
) -> Iterator[MarketPrice]:
    """The prices of this kind at an instant, of the providers and models named (empty: of all).

    A model is named by the source's id or by any name under which the provider serves it. A model without a
    price of this kind is left out. Raises PriceNameUnknown.
    """
    key = price_names().get(name)
    if key is None:
        raise PriceNameUnknown(", ".join(sorted(price_names())))
    for provider in providers:
        if of_providers and provider.id not in of_providers:
            continue
        for asked, model in _models(provider, of_models):
            found = getattr(model.get_prices(at), key)
            if found is not None:
                yield _price(provider.id, asked, model, found, _PER[key])


def _models(provider: Provider, names: Collection[str]) -> Iterator[tuple[str, ModelInfo]]:
    if not names:
        yield from ((model.id, model) for model in provider.models)
        return
    by_id = {model.id: model for model in provider.models}
    for name in names:
        model = by_id.get(name) or next((each for each in provider.models if each.is_match(name)), None)
        if model is not None:
            yield name, model


def _price(
    provider: str, name: str, model: ModelInfo, found: Decimal | TieredPrices, per: int
) -> MarketPrice:
    base, tiers = (found.base, found.tiers) if isinstance(found, TieredPrices) else (found, [])
    above = tuple((Decimal(tier.start), _clean(tier.price) / per) for tier in tiers)
    return MarketPrice(provider, name, _clean(base) / per, above, _is_by_time(model))


def _is_by_time(model: ModelInfo) -> bool:
    dated: list[ConditionalPrice] = model.prices if isinstance(model.prices, list) else []
    return any(isinstance(each.constraint, TimeOfDateConstraint) for each in dated)


def _clean(price: Decimal) -> Fraction:
    """The price of the source without the dirt of floats."""
    if price == 0:
        return Fraction(0)
    return Fraction(numbers.round_half_up(Fraction(price), SIGNIFICANT_DIGITS - 1 - price.adjusted()))
