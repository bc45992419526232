from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import allocating


def parts(amount, *shares, digits=2):
    found = allocating.parts(amount=Decimal(amount), shares=shares, digits=digits)
    return [str(each) for each in found]


class TestParts:
    def test_give_what_is_left_over_to_the_first_of_equals(self):
        assert parts("10.00", 1, 1, 1) == ["3.34", "3.33", "3.33"]
        assert parts("0.02", 1, 1, 1) == ["0.01", "0.01", "0.00"]

    def test_give_it_to_those_who_lost_most(self):
        # 0.055, 0.025 and 0.020: one cent is left over once each is cut; the first two lost half a cent each
        assert parts("0.10", 55, 25, 20) == ["0.06", "0.02", "0.02"]
        # 3.333.., 6.666..: the second lost more
        assert parts("10", Fraction(1, 3), Fraction(2, 3), digits=0) == ["3", "7"]

    def test_have_the_digits_of_the_currency(self):
        assert parts("100", 1, 2, digits=0) == ["33", "67"]
        assert parts("1.000", 1, 2, digits=3) == ["0.333", "0.667"]

    def test_of_a_credit_are_negative(self):
        assert parts("-10.00", 1, 1, 1) == ["-3.34", "-3.33", "-3.33"]

    def test_of_a_share_of_zero_are_zero(self):
        assert parts("5.00", 0, 2) == ["0.00", "5.00"]

    def test_are_equal_where_no_share_says_anything(self):
        assert parts("5.00", 0, 0) == ["2.50", "2.50"]

    def test_of_one_share_are_the_amount(self):
        assert parts("7.77", Fraction(1, 3)) == ["7.77"]

    def test_of_an_unrounded_amount_are_refused(self):
        with pytest.raises(allocating.AmountNotRounded, match=r"0\.005 has more than 2"):
            parts("0.005", 1)

    @pytest.mark.parametrize("shares", [(), (1, -1)])
    def test_need_shares_that_are_not_negative(self, shares):
        with pytest.raises(ValueError, match="at least one share"):
            parts("1.00", *shares)

    @given(
        cents=st.integers(-(10**9), 10**9),
        shares=st.lists(st.fractions(min_value=0, max_value=1000), min_size=1, max_size=12),
    )
    def test_add_up_and_differ_from_the_exact_ones_by_less_than_a_cent(self, cents, shares):
        amount = Decimal(cents).scaleb(-2)
        found = allocating.parts(amount=amount, shares=shares, digits=2)
        assert sum(found) == amount
        total = sum(shares) or Fraction(len(shares))
        for part, share in zip(found, shares if any(shares) else [Fraction(1)] * len(shares), strict=True):
            assert abs(Fraction(part) - Fraction(amount) * share / total) < Fraction(1, 100)
