"""Plan discounts, the plan's minimum, and what was billed before."""

from fractions import Fraction

import pytest

from tests.billing.rating.quotes import amounts, component, fee, plan, quote, used

DOLLAR = {"model": "per_unit", "unit_amount": "1"}


def billed(amount, component="c", kind="usage", group=None, **dimensions):
    return {"component": component, "group": group, "dimensions": dimensions, "kind": kind, "amount": amount}


class TestDiscounts:
    @pytest.mark.parametrize(
        ("percents", "taken", "total"),
        [
            (["10"], ["10.00"], "90.00"),
            (["10", "10"], ["10.00", "9.00"], "81.00"),
            (["60", "60"], ["60.00", "24.00"], "16.00"),
            (["100"], ["100.00"], "0.00"),
            (["33.333"], ["33.33"], "66.67"),
        ],
    )
    def test_are_each_on_what_the_earlier_ones_left(self, percents, taken, total):
        of = plan(component(DOLLAR), discounts=[{"percent": percent, "name": "D"} for percent in percents])
        answer = quote(of, used("100"))
        assert answer["subtotal"] == "100.00"
        assert [each["amount"] for each in answer["discounts"]] == taken
        assert answer["total"] == total


class TestPlanMinimum:
    def test_is_after_discounts_and_not_discounted(self):
        # usage 50, less 10 % is 45: 55 are missing to 100
        of = plan(component(DOLLAR), discounts=[{"percent": "10", "name": "Launch"}], minimum="100")
        answer = quote(of, used("50"))
        assert [(line["kind"], line["amount"]) for line in answer["lines"]] == [
            ("usage", "50.00"),
            ("plan_minimum", "55.00"),
        ]
        assert (answer["subtotal"], answer["total"]) == ("105.00", "100.00")

    def test_counts_fees_in_advance(self):
        of = plan(fee("20", timing="IN_ADVANCE"), component(DOLLAR), minimum="100")
        assert quote(of, used("50"))["total"] == "100.00"

    def test_is_prorated(self):
        half = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-16T12:00:00Z"}
        assert quote(plan(component(DOLLAR), minimum="100"), billed_period=half)["total"] == "50.00"


class TestBilled:
    def test_is_taken_off_the_rounded_amount(self):
        # a hundred parts of 0.005, one after the other, come to 0.50 as all at once
        of = plan(component({"model": "per_unit", "unit_amount": "0.005"}))
        sum_so_far = 0
        for count in range(1, 101):
            before = [billed(f"{sum_so_far // 100}.{sum_so_far % 100:02d}")]
            due = quote(of, used(str(count)), billed=before)["total"]
            sum_so_far += int(due.replace(".", ""))
        assert sum_so_far == 50

    def test_lets_a_choice_turn_round(self):
        # billed so far A 60; now A 80 and B 100: A -60, B +100
        of = plan(
            {
                "code": "g",
                "combine": "GREATEST",
                "components": [
                    component(DOLLAR, code="A"),
                    component(DOLLAR, code="B", meter="others"),
                ],
            }
        )
        rows = [used("80"), {**used("100"), "meter": "others"}]
        answer = quote(of, *rows, billed=[billed("60.00", "A", group="g")])
        assert amounts(answer) == [("A", "-60.00"), ("B", "100.00")]
        assert answer["total"] == "40.00"

    def test_returns_what_is_due_no_more(self):
        answer = quote(plan(component(DOLLAR, per=["model"])), billed=[billed("12.00", model="old")])
        [line] = answer["lines"]
        assert (line["dimensions"], line["amount"], line["unrounded"]) == ({"model": "old"}, "-12.00", "-12")

    def test_covers_a_fee_in_advance(self):
        # 100 billed for 31 days of which 17 are used: 54.84 - 100.00
        of = plan(fee("100", timing="IN_ADVANCE"))
        used_part = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-18T00:00:00Z"}
        answer = quote(of, billed_period=used_part, billed=[billed("100.00", "fee", "fixed")])
        assert amounts(answer) == [("fee", "-45.16")]
        assert sum_of_steps(answer["lines"][0]) == answer["lines"][0]["unrounded_exact"]

    def test_covers_minimum_lines_and_discounts(self):
        of = plan(component(DOLLAR), discounts=[{"percent": "10", "name": "Launch"}], minimum="100")
        before = [
            billed("50.00"),
            billed("-5.00", "0", "plan_discount"),
            billed("55.00", None, "plan_minimum"),
        ]
        answer = quote(of, used("80"), billed=before)
        # 80 - 8 = 72, 28 missing: 30 more of usage, 27 less of the minimum, 3 more of discount
        assert [(line["kind"], line["amount"]) for line in answer["lines"]] == [
            ("usage", "30.00"),
            ("plan_minimum", "-27.00"),
        ]
        assert (answer["discounts"][0]["amount"], answer["total"]) == ("3.00", "0.00")

    def test_nothing_more_is_due_after_everything_was_billed(self):
        of = plan(component(DOLLAR))
        assert quote(of, used("80"), billed=[billed("80.00")])["total"] == "0.00"


def sum_of_steps(line):
    return str(sum(Fraction(step.get("amount_exact", step["amount"])) for step in line["steps"]))
