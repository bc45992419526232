"""Curves of costs: every piece found, every end named exactly."""

from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from billing.advising import curves
from billing.advising.curves import Crossing, Piece

LOW, HIGH = Fraction(0), Fraction(100)


def trace(cost, **options):
    return curves.trace(cost, low=LOW, high=HIGH, **{"points_max": 5000, **options})


class TestTrace:
    def test_of_a_straight_line_is_one_piece(self):
        curve = trace(lambda x: 3 * x + 7)
        assert curve.pieces == (Piece(LOW, HIGH, Fraction(7), Fraction(3)),)
        assert curve.is_exact

    def test_names_where_the_slope_changes(self):
        bend = Fraction(1000, 37)
        curve = trace(lambda x: x if x <= bend else bend + (x - bend) / 3)
        assert [(piece.end, piece.slope) for piece in curve.pieces] == [
            (bend, Fraction(1)),
            (HIGH, Fraction(1, 3)),
        ]

    def test_keeps_a_jump_on_its_lower_side(self):
        curve = trace(lambda x: Fraction(ceil(x / 40)) * 13)
        assert [(piece.start, piece.end, piece.value) for piece in curve.pieces] == [
            (0, 40, 13),
            (40, 80, 26),
            (80, 100, 39),
        ]
        assert (curve.first, curve.at(Fraction(40)), curve.just_above(Fraction(40))) == (0, 13, 26)

    def test_finds_a_bound_that_holds_only_for_a_while(self):
        curve = trace(lambda x: max(Fraction(20), min(Fraction(60), 2 * x)))
        assert [piece.end for piece in curve.pieces] == [10, 30, 100]

    def test_says_so_when_the_points_do_not_suffice(self):
        curve = trace(lambda x: Fraction(ceil(x)), points_max=40)
        assert not curve.is_exact
        assert curve.pieces[-1].end == HIGH
        assert curve.at(HIGH) == 100

    @given(
        st.lists(st.fractions(1, 99, max_denominator=50), max_size=4, unique=True),
        st.lists(st.fractions(0, 9, max_denominator=20), min_size=5, max_size=5),
    )
    def test_is_the_cost_at_every_quantity(self, bends, slopes):
        bends = sorted(bends)

        def cost(x):
            total, start = Fraction(0), Fraction(0)
            for bend, slope in zip([*bends, None], slopes, strict=False):
                end = x if bend is None else min(x, bend)
                total += max(Fraction(0), end - start) * slope
                start = x if bend is None else bend
            return total

        curve = trace(cost, hints=bends)
        assert curve.is_exact
        for x in [*bends, *(Fraction(n, 7) for n in range(0, 700, 23))]:
            assert curve.at(x) == cost(x)


class TestCrossings:
    def test_of_two_lines_is_where_they_meet(self):
        found = curves.crossings(trace(lambda x: 3 * x), trace(lambda x: x + 25))
        assert found == [Crossing(Fraction(25, 2), Fraction(25, 2), True, False, False)]

    def test_of_lines_that_meet_at_the_bound_are_none(self):
        assert curves.crossings(trace(lambda x: 3 * x), trace(lambda x: x)) == []

    def test_tell_from_where_to_where_both_cost_the_same(self):
        capped = trace(lambda x: min(x, Fraction(40)))
        other = trace(lambda x: x + 10 if x <= 30 else Fraction(40) if x <= 60 else x - 20)
        assert curves.crossings(capped, other) == []
        later = trace(lambda x: Fraction(50) if x <= 30 else Fraction(40) if x <= 50 else Fraction(30))
        found = curves.crossings(capped, later)
        assert [(each.at, each.until) for each in found] == [(40, 50)]

    def test_are_told_as_jumps_where_one_curve_jumps_over_the_other(self):
        packages = trace(lambda x: Fraction(ceil(x / 50)) * 30)
        found = curves.crossings(packages, trace(lambda x: Fraction(45)))
        assert found == [Crossing(Fraction(50), Fraction(50), True, False, True)]


class TestSimplest:
    def test_is_the_fraction_with_the_smallest_denominator(self):
        assert curves.simplest(Fraction(333, 1000), Fraction(334, 1000)) == Fraction(1, 3)
        assert curves.simplest(Fraction(5, 2), Fraction(7, 2)) == 3
        assert curves.simplest(Fraction(-334, 1000), Fraction(-333, 1000)) == Fraction(-1, 3)
        assert curves.simplest(Fraction(-1), Fraction(2)) == 0
        assert curves.simplest(Fraction(2, 7), Fraction(2, 7)) == Fraction(2, 7)

    @given(st.fractions(-50, 50, max_denominator=60), st.fractions(0, 1, max_denominator=10**6))
    def test_lies_between_and_nothing_simpler_does(self, low, width):
        found = curves.simplest(low, low + width)
        assert low <= found <= low + width
        for denominator in range(1, min(found.denominator, 30)):
            assert ceil(low * denominator) > (low + width) * denominator
