"""Amounts, quantities and periods as people read them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing import formats


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            ("1234567.5", "USD", "$1,234,567.50"),
            ("0", "USD", "$0.00"),
            ("-3.10", "EUR", "-€3.10"),
            ("1234", "JPY", "¥1,234"),
            ("0.3", "CNY", "CN¥0.30"),
            ("1.5", "KWD", "KWD\xa01.500"),
            ("0.005", "USD", "$0.005"),
            ("12345678901234567890.12", "USD", "$12,345,678,901,234,567,890.12"),
        ],
    )
    def test_shows_the_currency_and_every_digit(self, amount, currency, text):
        assert formats.money(Decimal(amount), currency) == text


class TestNumber:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("8819", "8,819"),
            ("0.0000025", "0.0000025"),
            ("1e-05", "0.00001"),
            ("12345.10", "12,345.10"),
            ("-23878.6714853", "-23,878.6714853"),
            ("1/3", "1/3"),
            (None, ""),
            (7, "7"),
        ],
    )
    def test_has_separators_and_all_digits(self, value, text):
        assert formats.number(value) == text

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("9551.46859411", "≈ 9,551.468594"),
            ("0.123456", "0.123456"),
            ("0.1234565", "≈ 0.123457"),
            ("0.0000001234567", "≈ 0.000000123457"),
            ("0.0000001", "0.0000001"),
            ("0", "0"),
            ("1/3", "1/3"),
            (None, ""),
        ],
    )
    def test_is_short_where_it_would_be_long(self, value, text):
        assert formats.short_number(value) == text


class TestPeriod:
    @pytest.mark.parametrize(
        ("start", "end", "zone", "text"),
        [
            ("2020-05-01T00:00", "2020-06-01T00:00", "UTC", "1 – 31 May 2020"),
            ("2020-05-01T00:00", "2020-05-02T00:00", "UTC", "1 May 2020"),
            ("2020-05-15T00:00", "2020-06-15T00:00", "UTC", "15 May – 14 June 2020"),
            ("2020-12-15T00:00", "2021-01-15T00:00", "UTC", "15 December 2020 – 14 January 2021"),
            ("2020-04-30T16:00", "2020-05-31T16:00", "Asia/Shanghai", "1 – 31 May 2020"),
            ("2020-04-30T16:00", "2020-05-31T16:00", "UTC", "2020-04-30 16:00 – 2020-05-31 16:00 UTC"),
            ("2020-05-01T00:00", "2020-05-01T10:30", "UTC", "2020-05-01 00:00 – 2020-05-01 10:30 UTC"),
        ],
    )
    def test_is_days_where_it_is_whole_days(self, start, end, zone, text):
        bounds = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (start, end))
        assert formats.period(*bounds, zone) == text


class TestValidity:
    @pytest.mark.parametrize(
        ("lower", "upper", "text"),
        [
            (None, None, "always"),
            (datetime(2020, 5, 1, tzinfo=UTC), None, "since 2020-05-01"),
            (None, datetime(2020, 5, 1, 10, 30, tzinfo=UTC), "until 2020-05-01 10:30"),
            (datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC), "2020-05-01 to 2020-06-01"),
        ],
    )
    def test_names_the_bounds_that_there_are(self, lower, upper, text):
        assert formats.validity(lower, upper) == text


class TestInstant:
    def test_names_its_zone(self):
        at = datetime(2020, 5, 14, 10, 0, 7, tzinfo=UTC)
        assert formats.instant(at) == "2020-05-14 10:00:07 UTC"
        assert formats.instant(at, "Asia/Shanghai") == "2020-05-14 18:00:07 CST"
        assert formats.instant(None) == ""
