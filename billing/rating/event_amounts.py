"""Amounts and currencies that single events carry in their data."""

from fractions import Fraction

from billing.documents import currencies, prices
from billing.documents.prices import Dynamic, Percentage
from billing.rating.inputs import UsageRow
from metering import numbers
from metering.documents.errors import DocumentError
from metering.measures import events

# What a number of an event may have: 40 digits, and an exponent of at most 30 either way.
INTEGER_DIGITS, PLACES = 31, 69


def amount_of(price: Dynamic, row: UsageRow, currency: str) -> Fraction:
    """The amount that the event carries, in major units. Raises DocumentError `unpriced` where it has
    none.
    """
    check_currency(price, row, currency)
    amount = events.number(events.at_path(row.data, price.amount))
    if amount is None or not numbers.is_within(amount, integer_digits=INTEGER_DIGITS, decimal_places=PLACES):
        raise DocumentError("unpriced", f"the event has no amount at {price.amount}", row.field)
    return in_major_units(price, Fraction(amount), currency)


def in_major_units(price: Percentage | Dynamic, amount: Fraction, currency: str) -> Fraction:
    """The amount in the currency itself, where events give it in its smallest unit (cents, yen, fils)."""
    return amount / 10 ** currencies.digits(currency) if price.amount_unit == prices.MINOR else amount


def check_currency(price: Percentage | Dynamic, row: UsageRow, currency: str) -> None:
    """Raises DocumentError `currency` where the event's amount is in another currency than the plan, or in
    none.
    """
    declared = price.amount_currency
    if declared is None:
        return
    found = declared if prices.is_currency(declared) else events.word(events.at_path(row.data, declared))
    if found != currency:
        raise DocumentError(
            "currency",
            f"the event's amount is in {found or 'no currency'}, the plan in {currency}",
            row.field,
        )
