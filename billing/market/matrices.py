"""Market prices as a matrix by provider, model and, where a price depends on it, the context of the
request.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from billing.documents.amounts import Amount
from billing.documents.nodes import Component
from billing.documents.prices import MODEL, PROVIDER, Catalogue, Matrix, Rate
from billing.market import source
from billing.market.source import MarketPrice
from metering import numbers
from metering.documents.errors import invalid, joined
from metering.documents.meter import MeterDefinition
from metering.measures.events import range_text

CONTEXT = "context"
PLACES = 18
NAMED_MAX = 10


def of(
    component: Component, price: Catalogue, definition: MeterDefinition | None, at: datetime, path: str
) -> Matrix:
    """The matrix of the prices that the component's `where` leaves: all providers and models, or those it
    names.

    A price that depends on the request's context needs a dimension `context` of the meter with that bound.
    Raises DocumentError naming the models otherwise, for prices by time of day, and for a named model that
    the source has no price of unless there is a price for unknown ones.
    """
    where = dict(component.where)
    try:
        found = list(
            source.prices(
                price.price_of,
                price.at or at,
                of_providers=where.get(PROVIDER, ()),
                of_models=where.get(MODEL, ()),
            )
        )
    except source.PriceNameUnknown as error:
        raise invalid(f"must be one of {error}", joined(path, "price_of")) from None
    bounds = _bounds(definition)
    _check_found(found, where.get(MODEL, ()), price, path)
    _refuse(path, "depends on the time of day", [each for each in found if each.is_by_time])
    _refuse(
        path,
        f"depends on the request's context: the meter needs a dimension {CONTEXT} with that bound",
        [each for each in found if not {bound for bound, _ in each.tiers} <= set(bounds)],
    )
    rates = tuple(rate for each in found for rate in _rates(each, bounds, price.markup_percent))
    by = (PROVIDER, MODEL, CONTEXT) if any(each.tiers for each in found) else (PROVIDER, MODEL)
    return Matrix(by, rates, price.unknown)


def _bounds(definition: MeterDefinition | None) -> tuple[Decimal, ...]:
    dimensions = definition.dimensions if definition is not None else ()
    return next((dimension.ranges for dimension in dimensions if dimension.name == CONTEXT), ())


def _check_found(found: list[MarketPrice], named: tuple[str, ...], price: Catalogue, path: str) -> None:
    missing = [name for name in named if name not in {each.model for each in found}]
    if missing and price.unknown is None:
        raise invalid(f"the catalogue has no price {price.price_of} for {', '.join(missing)}", path)


def _refuse(path: str, reason: str, prices: list[MarketPrice]) -> None:
    if prices:
        names = [f"{each.provider}/{each.model}" for each in prices[:NAMED_MAX]]
        more = f" and {len(prices) - NAMED_MAX} more" if len(prices) > NAMED_MAX else ""
        raise invalid(f"the price of {', '.join(names)}{more} {reason}; leave them out by where", path)


def _rates(price: MarketPrice, bounds: tuple[Decimal, ...], markup_percent: Decimal) -> Iterator[Rate]:
    plain = ((MODEL, (price.model,)), (PROVIDER, (price.provider,)))
    if not price.tiers:
        yield Rate(plain, _amount(price.price, markup_percent))
        return
    for low, high in zip((None, *bounds), (*bounds, None), strict=True):
        # a request in the range above `low` is beyond every tier's bound up to `low`
        reached = [amount for bound, amount in price.tiers if low is not None and bound <= low]
        inside = high if high is not None else bounds[-1] + 1
        when = ((CONTEXT, (range_text(bounds, inside),)), *plain)
        yield Rate(when, _amount(reached[-1] if reached else price.price, markup_percent))


def _amount(price: Fraction, markup_percent: Decimal) -> Amount:
    return Amount(
        numbers.trimmed(numbers.round_half_up(price * (1 + Fraction(markup_percent) / 100), PLACES))
    )
