"""How numbers, money and days are written in a customer's language. Nothing is computed from these texts."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_interval
from babel.numbers import NumberPattern, parse_pattern

from billing.exports.labels import FALLBACK, LABELS
from billing.exports.totals import to_places
from metering import numbers

PLACES_SHOWN = 6
DIGITS_SHOWN = 6
WORD_LENGTH_MAX = 18  # characters that fit into the narrowest column of lines
MINUS = "−"
ZERO_WIDTH_SPACE = "\u200b"
_WIDE = Context(prec=numbers.PRECISION, rounding=ROUND_HALF_UP)
_NUMBER = re.compile(r"(?<![\w:./-])-?[0-9]+(?:\.[0-9]+)?(?!\w|[:/.-][0-9])")


class Display:
    """How a locale such as "en", "de_AT" or "zh" is written. One whose labels are missing is English."""

    def __init__(self, locale: str) -> None:
        self.locale = _known(locale)
        self.language = self.locale.language
        self.labels = LABELS[self.language]
        self._integer_part = self.locale.decimal_formats[None].pattern.split(".")[0]

    def number(self, value: Decimal) -> str:
        """A number with thousands separators and every digit that it has."""
        places = max(0, -value.as_tuple().exponent)
        pattern: NumberPattern = parse_pattern(self._integer_part + ("." + "0" * places if places else ""))
        with numbers.exact():
            return pattern.apply(value, self.locale, decimal_quantization=False).replace("-", MINUS)

    def quantity(self, value: Decimal) -> str:
        """A number cut half up to six decimal places, or to six digits where it begins later than that."""
        value = numbers.trimmed(value)
        places = PLACES_SHOWN if value == 0 else max(PLACES_SHOWN, DIGITS_SHOWN - 1 - value.adjusted())
        if -value.as_tuple().exponent > places:
            value = numbers.trimmed(value.quantize(Decimal(1).scaleb(-places), context=_WIDE))
        return self.number(value)

    def numbers_in(self, text: str) -> str:
        """The text with the plain decimals in it written as `number` does; dates, times and names stay."""
        return _NUMBER.sub(lambda match: self.number(Decimal(match.group())), text)

    def amount(self, value: Decimal, currency: str) -> str:
        """Money with the currency's decimal places, without its code."""
        return self.number(to_places(currency, value))

    def money(self, value: Decimal, currency: str) -> str:
        """Money with its currency's code, which nobody mistakes for another country's dollar."""
        return f"{currency}\u00a0{self.amount(value, currency)}"

    def day(self, day: date) -> str:
        return format_date(day, "long", locale=self.locale)

    def period(self, start: datetime, end: datetime, zone: ZoneInfo) -> str:
        """A half-open period as people say it: whole days with the last one included, else both instants."""
        first, after = start.astimezone(zone), end.astimezone(zone)
        if first.time() == after.time() == datetime.min.time() and first < after:
            last = after.date() - timedelta(days=1)
            return self.day(last) if first.date() == last else self._days(first.date(), last)
        instants = (format_datetime(at, "medium", tzinfo=zone, locale=self.locale) for at in (start, end))
        return " – ".join(instants)

    def _days(self, first: date, last: date) -> str:
        # Babel writes thin spaces around the dash, which fonts and text searches take badly.
        text = format_interval(first, last, skeleton="yMMMMd", locale=self.locale)
        return text.replace("\u2009", " ").replace("\u202f", " ")


def breakable(text: str, *, length_max: int = WORD_LENGTH_MAX) -> str:
    """The text with places to break inside words of more characters than ``length_max``."""
    return re.sub(rf"\S{{{length_max + 1},}}", lambda match: _spaced(match.group(), length_max), text)


def _spaced(word: str, length_max: int) -> str:
    parts = re.split(r"(?<=[_\-/.:@,;])", word)
    pieces = [part[i : i + length_max] for part in parts for i in range(0, len(part), length_max)]
    return ZERO_WIDTH_SPACE.join(pieces)


def _known(name: str) -> Locale:
    try:
        locale = Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale(FALLBACK)
    return locale if locale.language in LABELS else Locale(FALLBACK)
