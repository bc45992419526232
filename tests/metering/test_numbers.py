"""Exact numbers."""

from decimal import Decimal, FloatOperation, Inexact
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering import numbers
from metering.numbers import NumberInvalid


class TestExact:
    def test_raises_where_a_digit_is_lost(self):
        with numbers.exact(), pytest.raises(Inexact):
            Decimal(1) / Decimal(3)

    def test_raises_where_a_float_comes_near(self):
        with numbers.exact(), pytest.raises(FloatOperation):
            Decimal(0.1)  # noqa: RUF032

    def test_holds_the_product_of_a_huge_number_and_a_tiny_price(self):
        with numbers.exact():
            assert Decimal("999999999999999999") * Decimal("0.000000123456789012") == Decimal(
                "123456789011.999999876543210988"
            )


class TestParseDecimal:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("0.000003", "0.000003"),
            ("1e-05", "0.00001"),
            ("1E+2", "100"),
            ("-0", "0"),
            ("1.50", "1.5"),
            (12, "12"),
            ("0e999", "0"),
            ("1.0000000000000000000000", "1"),
            ("99999999999999999999", "99999999999999999999"),
        ],
    )
    def test_takes(self, value, expected):
        assert str(numbers.text(numbers.parse_decimal(value))) == expected

    @pytest.mark.parametrize(
        "value",
        [
            "",
            " 1",
            "1 ",
            "+1",
            "1_000",
            "１２",
            "Infinity",
            "NaN",
            ".5",
            "5.",
            "01",
            "0x1",
            "1e1000",
            "1\n",
            "100000000000000000000",
            "0.0000000000000000001",
            "1e21",
            "1e-19",
            "9" * 61,
            10**70,
            True,
            None,
            1.5,
            Decimal(1),
        ],
    )
    def test_refuses(self, value):
        with pytest.raises(NumberInvalid):
            numbers.parse_decimal(value)


class TestParseQuantity:
    def test_takes_a_fraction(self):
        assert numbers.parse_quantity("1274317/3") == Fraction(1274317, 3)
        assert numbers.parse_quantity("-1/3") == Fraction(-1, 3)
        assert numbers.parse_quantity("12.5") == Fraction(25, 2)

    @pytest.mark.parametrize("value", ["1/0", "1/-3", "1/03", "1 / 3", "1.5/3", "/3", "1/", "1/" + "9" * 61])
    def test_refuses(self, value):
        with pytest.raises(NumberInvalid):
            numbers.parse_quantity(value)


class TestShown:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (Fraction(25, 2), ("12.5", None)),
            (Fraction(10**18), ("1000000000000000000", None)),
            (Fraction(1, 10**30), ("0." + "0" * 29 + "1", None)),
            (Fraction(1, 10**31), ("0." + "0" * 30 + "100000000000", "1/" + "1" + "0" * 31)),
            (Fraction(1, 3), ("0.333333333333", "1/3")),
            (Fraction(2, 3), ("0.666666666667", "2/3")),
            (Fraction(-2, 3), ("-0.666666666667", "-2/3")),
            (Fraction(25486357, 60), ("424772.616667", "25486357/60")),
            (Fraction(10**15, 3), ("333333333333000", "1000000000000000/3")),
            (Fraction(2999999999999, 3000000000000), ("1.00000000000", "2999999999999/3000000000000")),
            (Fraction(0), ("0", None)),
            # a decimal of 199 places
            (Fraction(1, 2**199), ("0." + "0" * 59 + "124460305557", f"1/{2**199}")),
        ],
    )
    def test_is_exact_or_has_12_digits(self, value, expected):
        assert numbers.shown(value) == expected

    @given(st.fractions())
    @settings(deadline=None)
    def test_is_exact_in_one_of_its_texts(self, value):
        shown, exact = numbers.shown(value)
        assert (Fraction(shown) if exact is None else Fraction(exact)) == value


class TestToDecimal:
    def test_is_exact(self):
        assert numbers.to_decimal(Fraction(1, 8)) == Decimal("0.125")

    def test_refuses_a_third(self):
        with pytest.raises(numbers.DecimalDoesNotEnd):
            numbers.to_decimal(Fraction(1, 3))


class TestRoundHalfUp:
    @pytest.mark.parametrize(
        ("value", "digits", "expected"),
        [
            ("0.005", 2, "0.01"),
            ("0.0049999", 2, "0.00"),
            ("-0.005", 2, "-0.01"),
            ("-0.004", 2, "0.00"),
            ("19.995", 2, "20.00"),
            ("2.5", 0, "3"),
            ("-2.5", 0, "-3"),
            ("1.0005", 3, "1.001"),
            ("54.838709677419", 2, "54.84"),
            ("1250", -2, "1300"),
        ],
    )
    def test_rounds_halves_away_from_zero(self, value, digits, expected):
        assert str(numbers.round_half_up(Fraction(value), digits)) == expected

    def test_rounds_a_third_once(self):
        assert str(numbers.round_half_up(Fraction(500, 3), 2)) == "166.67"

    @given(st.fractions(), st.integers(0, 6))
    @settings(deadline=None)
    def test_is_never_off_by_more_than_half_a_unit(self, value, digits):
        assert abs(Fraction(numbers.round_half_up(value, digits)) - value) <= Fraction(1, 2 * 10**digits)


class TestIsWithin:
    def test_counts_digits_by_value(self):
        assert numbers.is_within(Decimal("1.50"), decimal_places=1)
        assert not numbers.is_within(Decimal("1.55"), decimal_places=1)
        assert numbers.is_within(Decimal("1e2"), integer_digits=3)
        assert not numbers.is_within(Decimal("1e3"), integer_digits=3)
        assert not numbers.is_within(Decimal("NaN"))
