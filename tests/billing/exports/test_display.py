from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from billing.exports.display import Display, breakable
from billing.exports.labels import LABELS

UTC_ZONE = ZoneInfo("UTC")


class TestNumber:
    @pytest.mark.parametrize(
        ("locale", "text"), [("en", "1,234,567.50"), ("de", "1.234.567,50"), ("zh-CN", "1,234,567.50")]
    )
    def test_is_written_as_the_locale_does(self, locale, text):
        assert Display(locale).number(Decimal("1234567.50")) == text

    def test_keeps_every_digit(self):
        digits = "123456789012345678901234567890.123456789012345678901234567891"
        assert Display("en").number(Decimal(digits)).replace(",", "") == digits

    def test_has_a_true_minus(self):
        assert Display("en").number(Decimal("-5.00")) == "−5.00"


class TestQuantity:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("8819", "8,819"),
            ("8819.000", "8,819"),
            ("26.6666666667", "26.666667"),
            ("0.00000012345678", "0.000000123457"),
            ("0", "0"),
            ("1E+3", "1,000"),
        ],
    )
    def test_is_cut_to_what_a_reader_needs(self, value, text):
        assert Display("en").quantity(Decimal(value)) == text


class TestMoney:
    @pytest.mark.parametrize(
        ("value", "currency", "text"),
        [
            ("1322.85", "USD", "USD\u00a01,322.85"),
            ("0", "USD", "USD\u00a00.00"),
            ("1200", "JPY", "JPY\u00a01,200"),
        ],
    )
    def test_names_its_currency_and_has_its_digits(self, value, currency, text):
        assert Display("en").money(Decimal(value), currency) == text

    def test_of_dinars_has_three(self):
        assert Display("de").amount(Decimal("1524.6"), "KWD") == "1.524,600"


class TestPeriod:
    @pytest.mark.parametrize(
        ("locale", "text"),
        [("en", "May 1 – 31, 2020"), ("de", "1.–31. Mai 2020"), ("zh", "2020年5月1日至31日")],
    )
    def test_of_whole_days_includes_the_last(self, locale, text):
        may = (datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC))
        assert Display(locale).period(*may, UTC_ZONE) == text

    def test_is_told_in_its_zone(self):
        may = (datetime(2020, 4, 30, 16, tzinfo=UTC), datetime(2020, 5, 31, 16, tzinfo=UTC))
        assert Display("en").period(*may, ZoneInfo("Asia/Shanghai")) == "May 1 – 31, 2020"

    def test_of_one_day_is_that_day(self):
        day = (datetime(2020, 5, 1, tzinfo=UTC), datetime(2020, 5, 2, tzinfo=UTC))
        assert Display("en").period(*day, UTC_ZONE) == "May 1, 2020"

    def test_of_parts_of_days_tells_both_instants(self):
        part = (datetime(2020, 5, 1, 12, 30, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC))
        text = Display("de").period(*part, UTC_ZONE)
        assert text == "01.05.2020, 12:30:00 – 01.06.2020, 00:00:00"


class TestDisplay:
    @pytest.mark.parametrize("locale", ["xx", "fr", "", "not a locale", "../en"])
    def test_is_english_where_there_are_no_words(self, locale):
        show = Display(locale)
        assert show.labels["invoice"] == "Invoice"
        assert show.day(date(2020, 5, 31)) == "May 31, 2020"

    def test_takes_regions(self):
        assert Display("de-CH").labels["invoice"] == "Rechnung"
        assert Display("de-CH").number(Decimal("1234.5")) == "1’234.5"

    @pytest.mark.parametrize("language", LABELS)
    def test_has_every_word_in_every_language(self, language):
        assert set(LABELS[language]) == set(LABELS["en"])


class TestNumbersIn:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("first 1000000: 1000000 × 0.00001 = 10", "first 1.000.000: 1.000.000 × 0,00001 = 10"),
            ("10% discount: -1234.5", "10% discount: −1.234,5"),
            ("not chosen: -9600.00", "not chosen: −9.600,00"),
            ("gpt-4o-2024 v2 at 08:30 on 2026-10-01", "gpt-4o-2024 v2 at 08:30 on 2026-10-01"),
        ],
    )
    def test_are_written_as_the_locale_does(self, text, shown):
        assert Display("de").numbers_in(text) == shown


class TestBreakable:
    def test_leaves_ordinary_words_alone(self):
        text = "Ordinary words, e-mails such as billing@a.example\nand lines"
        assert breakable(text, length_max=36) == text

    def test_breaks_long_words_after_their_joints_and_where_it_must(self):
        assert breakable("gpu_hours_on_demand", length_max=8) == "gpu_\u200bhours_\u200bon_\u200bdemand"
        assert breakable("x" * 20, length_max=8) == "xxxxxxxx\u200bxxxxxxxx\u200bxxxx"
