"""How amounts, quantities and periods are written in the console. Nothing is computed from these texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import format_currency, get_currency_symbol

from billing.documents import currencies

LOCALE = Locale("en")
PLACES_SHOWN = 6
DIGITS_SHOWN = 6
# Enough for any number of the contract; with Decimal's default of 28 digits long ones would fail.
_WIDE = Context(prec=200, rounding=ROUND_HALF_UP)


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency's sign and thousands separators, such as "$1,234.50" or "CN¥0.30".

    Every digit of the amount is shown, and never fewer than the currency has.
    """
    places = max(_places(amount), currencies.DIGITS.get(currency, 0))
    # A code is no sign: "KWD 1.500", but "$1.50".
    space = "\u00a0" if get_currency_symbol(currency, LOCALE).endswith(currency) else ""
    pattern = f"¤{space}#,##0" + ("." + "0" * places if places else "")
    return format_currency(
        amount, currency, pattern, locale=LOCALE, currency_digits=False, decimal_quantization=False
    )


def number(value: str | Decimal | int | None) -> str:
    """A number with thousands separators and all its digits; a text that is no decimal ("1/3") as it is."""
    if value is None:
        return ""
    try:
        return f"{Decimal(value):,f}"
    except InvalidOperation:
        return str(value)


def short_number(value: str | Decimal | int | None) -> str:
    """As `number`, but rounded half up to six decimal places; "≈" in front says so.

    A number that begins later than that keeps six digits: 0.0000001234567 is "≈ 0.000000123457".
    """
    if value is None:
        return ""
    try:
        exact = Decimal(value)
    except InvalidOperation:
        return str(value)
    places = max(PLACES_SHOWN, DIGITS_SHOWN - 1 - exact.adjusted()) if exact else PLACES_SHOWN
    if _places(exact) <= places:
        return f"{exact:,f}"
    return f"≈ {exact.quantize(Decimal(1).scaleb(-places), context=_WIDE):,f}"


def instant(at: datetime | None, zone: str = "UTC") -> str:
    """An instant in a time zone to the second, such as "2020-05-14 10:00:07 UTC"; "" for none."""
    return "" if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def period(start: datetime, end: datetime, zone: str = "UTC") -> str:
    """A half-open period as people say it: whole days as "1 – 31 May 2020", others by both instants."""
    first, end_local = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    if (first.hour, first.minute, first.second) != (0, 0, 0) or end_local.time() != first.time():
        return f"{first:%Y-%m-%d %H:%M} – {end_local:%Y-%m-%d %H:%M %Z}"
    last = end_local - timedelta(days=1)
    return f"{_day(first, last)}{last.day} {last:%B %Y}"


def _day(first: datetime, last: datetime) -> str:
    """The beginning of a period of days, without what its end repeats."""
    if first.date() == last.date():
        return ""
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} – "
    if first.year == last.year:
        return f"{first.day} {first:%B} – "
    return f"{first.day} {first:%B %Y} – "


def validity(lower: datetime | None, upper: datetime | None) -> str:
    """From when to when something holds, in UTC: "since 2020-05-01", "always", "2020-05-01 to 2020-06-01"."""
    if lower is None and upper is None:
        return "always"
    if upper is None:
        return f"since {_moment(lower)}"
    if lower is None:
        return f"until {_moment(upper)}"
    return f"{_moment(lower)} to {_moment(upper)}"


def _moment(at: datetime | None) -> str:
    assert at is not None
    at = at.astimezone(UTC)
    return f"{at:%Y-%m-%d}" if (at.hour, at.minute, at.second) == (0, 0, 0) else f"{at:%Y-%m-%d %H:%M}"


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def market_source(source: Mapping[str, str]) -> str:
    """Where a version's market prices come from: "genai-prices 0.2.3, prices of 2026-10-20"."""
    return f"{source['name']} {source['version']}, prices of {source['at'][:10]}"
