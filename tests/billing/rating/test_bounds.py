"""Rounding, discounts, maximum and minimum of a component; what becomes of compute and storage."""

import pytest

from tests.billing.rating.quotes import amounts, component, fee, plan, quote, used

DOLLAR = {"model": "per_unit", "unit_amount": "1"}
HALF = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-16T12:00:00Z"}


class TestRounding:
    @pytest.mark.parametrize(
        ("currency", "unit_amount", "expected"),
        [
            ("USD", "0.005", "0.01"),
            ("JPY", "0.5", "1"),
            ("JPY", "0.4", "0"),
            ("KWD", "0.0005", "0.001"),
            ("CLF", "0.00005", "0.0001"),
            ("USD", "0.0049", "0.00"),
        ],
    )
    def test_is_half_up_by_the_currencys_digits(self, currency, unit_amount, expected):
        of = {**plan(component({"model": "per_unit", "unit_amount": unit_amount})), "currency": currency}
        assert quote(of, used("1"))["total"] == expected

    def test_is_once_a_line(self):
        # 40 models at 0.004 in one matrix are one line of 0.16, not forty of 0.00
        of = plan(component({"model": "matrix", "by": ["model"], "rates": [], "otherwise": "0.004"}))
        assert quote(of, *(used("1", model=f"m{n}") for n in range(40)))["total"] == "0.16"

    def test_is_once_for_each_combination_of_per(self):
        of = plan(component({"model": "per_unit", "unit_amount": "0.004"}, per=["model"]))
        assert quote(of, *(used("1", model=f"m{n}") for n in range(40)))["total"] == "0.00"

    def test_rounds_the_absolute_value_of_a_negative_line(self):
        of = plan(component({"model": "per_unit", "unit_amount": "0.005"}, allow_negative=True))
        assert quote(of, used("-1"))["total"] == "-0.01"

    def test_loses_no_digit_of_a_huge_amount(self):
        rows = [used("99999999999999999999"), used("1")]
        answer = quote(plan(component({"model": "per_unit", "unit_amount": "99999999999999999999"})), *rows)
        assert answer["total"] == "9999999999999999999900000000000000000000.00"


class TestDiscount:
    def test_is_before_rounding(self):
        # 0.15 less 10 % is 0.135, which rounds to 0.14
        of = plan(component({"model": "per_unit", "unit_amount": "0.15"}, discount_percent="10"))
        [line] = quote(of, used("1"))["lines"]
        assert (line["unrounded"], line["amount"]) == ("0.135", "0.14")
        assert [step["amount"] for step in line["steps"]] == ["0.15", "-0.015"]


class TestMinimum:
    def test_is_a_line_of_its_own_after_rounding(self):
        # 19.995 rounds to 20.00, so nothing is missing to 20.00
        of = plan(component(DOLLAR, minimum="20.00"))
        assert amounts(quote(of, used("19.995"))) == [("c", "20.00")]

    @pytest.mark.parametrize(("quantity", "missing"), [("0", "20.00"), ("19.99", "0.01")])
    def test_tops_up(self, quantity, missing):
        answer = quote(plan(component(DOLLAR, minimum="20")), used(quantity))
        assert [line["kind"] for line in answer["lines"]] == ["usage", "minimum"]
        assert answer["lines"][1]["amount"] == missing
        assert answer["lines"][1]["unrounded"] == missing[: -3 if missing == "20.00" else None]
        assert answer["total"] == "20.00"

    def test_is_due_where_no_combination_has_usage(self):
        assert amounts(quote(plan(component(DOLLAR, per=["model"], minimum="20")))) == [("c", "20.00")]

    def test_is_prorated(self):
        assert quote(plan(component(DOLLAR, minimum="20")), billed_period=HALF)["total"] == "10.00"

    def test_is_not_prorated_where_the_component_says_so(self):
        assert (
            quote(plan(component(DOLLAR, minimum="20", prorate=False)), billed_period=HALF)["total"]
            == "20.00"
        )

    def test_waits_for_the_periods_end(self):
        # usage of 50 on the 12th, minimums and fees in arrears: only the usage is due before the end
        of = plan(component(DOLLAR, minimum="100"), fee("30"), minimum="500")
        answer = quote(of, used("50"), is_final=False, as_of="2026-10-12T00:00:00Z")
        assert amounts(answer) == [("c", "50.00")]

    def test_of_a_group_waits_for_the_periods_end(self):
        group = {"code": "g", "combine": "SUM", "components": [component(DOLLAR)], "minimum": "100"}
        answer = quote(plan(group), used("50"), is_final=False, as_of="2026-10-12T00:00:00Z")
        assert amounts(answer) == [("c", "50.00")]

    def test_line_has_no_compute_and_storage(self):
        price = {"model": "per_unit", "unit_amount": {"compute": "1", "storage": "1"}}
        answer = quote(plan(component(price, minimum="20")), used("1"))
        assert [parts(line) for line in answer["lines"]] == [("1.00", "1.00"), (None, None)]


class TestOpenPeriod:
    """What is due before the period's end: what usage so far costs, by the terms of the whole period."""

    def due(self, of, *usage):
        return quote(of, *usage, is_final=False, as_of="2026-10-11T00:00:00Z")["total"]

    def test_has_the_whole_maximum(self):
        assert self.due(plan(component(DOLLAR, maximum="100")), used("150")) == "100.00"

    def test_has_the_whole_allowance(self):
        of = plan(component(DOLLAR, included={"quantity": "31"}))
        assert self.due(of, used("40")) == "9.00"

    def test_has_whole_tiers(self):
        tiers = [{"up_to": "31", "unit_amount": "1"}, {"unit_amount": "0"}]
        assert self.due(plan(component({"model": "graduated", "tiers": tiers})), used("31")) == "31.00"

    def test_has_the_plans_discounts(self):
        assert self.due(plan(component(DOLLAR), discounts=[{"percent": "10"}]), used("50")) == "45.00"

    def test_has_fees_in_advance_and_none_in_arrears(self):
        of = plan(
            fee("100", timing="IN_ADVANCE"),
            fee("30", code="late"),
            component({"model": "flat", "amount": "7"}),
        )
        assert self.due(of, used("1")) == "100.00"


class TestPartOfPeriod:
    """Half a month has half of the fees and bounds, and whole tiers and packages."""

    def due(self, of, *usage):
        return quote(of, *usage, billed_period=HALF)["total"]

    def test_has_whole_tiers_with_their_flat_amounts(self):
        tiers = [{"up_to": "10", "flat_amount": "5"}, {"unit_amount": "2", "flat_amount": "3"}]
        # 5 + 3 + 1 x 2
        assert self.due(plan(component({"model": "graduated", "tiers": tiers})), used("11")) == "10.00"

    def test_has_whole_packages(self):
        price = {"model": "package", "package_size": "100", "package_amount": "8"}
        assert self.due(plan(component(price)), used("51")) == "8.00"

    def test_has_all_free_events_and_the_whole_free_quantity(self):
        price = {"model": "percentage", "rate": "10", "free_events": 2}
        rows = [used("100", f"2026-10-05T10:0{n}:00Z") for n in range(3)]
        assert self.due(plan(component(price)), *rows) == "10.00"
        price = {"model": "percentage", "rate": "10", "free_quantity": "250"}
        assert self.due(plan(component(price)), *rows) == "5.00"

    def test_has_half_the_bounds_of_a_group(self):
        group = {"code": "g", "combine": "SUM", "components": [component(DOLLAR)]}
        assert self.due(plan({**group, "maximum": "100"}), used("80")) == "50.00"
        assert self.due(plan({**group, "minimum": "100"}), used("20")) == "50.00"

    def test_has_half_of_a_flat_price_with_a_meter(self):
        assert self.due(plan(component({"model": "flat", "amount": "7"})), used("1")) == "3.50"


class TestMaximum:
    def test_lowers_lines_from_the_last_back(self):
        of = plan(component(DOLLAR, per=["model"], maximum="500.00"))
        answer = quote(of, *(used("166.665", model=name) for name in "abc"))
        assert amounts(answer) == [("c", "166.67"), ("c", "166.67"), ("c", "166.66")]
        last = answer["lines"][2]
        assert last["steps"][-1]["label"] == "maximum: -0.005"
        assert last["unrounded"] == "166.66"
        assert answer["total"] == "500.00"

    def test_takes_whole_lines_away(self):
        of = plan(component(DOLLAR, per=["model"], maximum="100"))
        answer = quote(of, used("80", model="a"), used("80", model="b"), used("80", model="c"))
        assert amounts(answer) == [("c", "80.00"), ("c", "20.00"), ("c", "0.00")]

    @pytest.mark.parametrize(
        ("quantity", "expected"), [("99.99", "99.99"), ("100", "100.00"), ("100.01", "100.00")]
    )
    def test_holds_at_its_bound(self, quantity, expected):
        assert quote(plan(component(DOLLAR, maximum="100")), used(quantity))["total"] == expected

    def test_is_prorated(self):
        assert (
            quote(plan(component(DOLLAR, maximum="20")), used("15"), billed_period=HALF)["total"] == "10.00"
        )


class TestNegative:
    ROWS = (used("10", gpu="H100"), used("-5", gpu="A100"))

    def test_lines_may_stand_where_the_sum_is_not_below_zero(self):
        of = plan(component({"model": "per_unit", "unit_amount": "2"}, per=["gpu"]))
        assert amounts(quote(of, *self.ROWS)) == [("c", "-10.00"), ("c", "20.00")]

    def test_sum_becomes_zero(self):
        of = plan(component({"model": "per_unit", "unit_amount": "2"}, per=["gpu"]))
        answer = quote(of, used("3", gpu="H100"), used("-5", gpu="A100"))
        assert amounts(answer) == [("c", "0.00"), ("c", "0.00")]
        assert answer["lines"][0]["steps"][-1]["label"] == "not below zero: 10"
        assert answer["lines"][0]["unrounded"] == "0"

    def test_sum_stays_where_the_component_allows_it(self):
        of = plan(component({"model": "per_unit", "unit_amount": "2"}, allow_negative=True))
        assert quote(of, used("-5"))["total"] == "-10.00"

    def test_sum_is_lifted_to_zero_before_the_minimum(self):
        of = plan(component(DOLLAR, minimum="5"))
        assert amounts(quote(of, used("-5"))) == [("c", "0.00"), ("c", "5.00")]


def parts(line):
    return line["compute"], line["storage"]


class TestParts:
    SPLIT = {"model": "per_unit", "unit_amount": {"compute": "0.12", "storage": "0.03"}}

    def test_stand_on_the_line(self):
        [line] = quote(plan(component(self.SPLIT)), used("10"))["lines"]
        assert (line["amount"], *parts(line)) == ("1.50", "1.20", "0.30")

    def test_add_up_after_rounding(self):
        # 0.005 + 0.005 is 0.01: compute 0.01 and storage the rest, 0.00
        price = {"model": "per_unit", "unit_amount": {"compute": "0.005", "storage": "0.005"}}
        [line] = quote(plan(component(price)), used("1"))["lines"]
        assert (line["amount"], *parts(line)) == ("0.01", "0.01", "0.00")

    def test_are_absent_unless_every_price_is_split(self):
        tiers = [{"up_to": "1", "unit_amount": {"compute": "1", "storage": "1"}}, {"unit_amount": "3"}]
        [line] = quote(plan(component({"model": "graduated", "tiers": tiers})), used("2"))["lines"]
        assert parts(line) == (None, None)

    def test_take_a_price_of_zero_as_split(self):
        tiers = [{"up_to": "1"}, {"unit_amount": {"compute": "2", "storage": "1"}}]
        [line] = quote(plan(component({"model": "graduated", "tiers": tiers})), used("3"))["lines"]
        assert (line["amount"], *parts(line)) == ("6.00", "4.00", "2.00")

    def test_share_a_discount(self):
        [line] = quote(plan(component(self.SPLIT, discount_percent="50")), used("10"))["lines"]
        assert (line["amount"], *parts(line)) == ("0.75", "0.60", "0.15")

    def test_share_a_maximum(self):
        [line] = quote(plan(component(self.SPLIT, maximum="1.00")), used("10"))["lines"]
        assert (line["amount"], *parts(line)) == ("1.00", "0.80", "0.20")

    def test_of_a_matrix_without_usage_are_zero(self):
        price = {"model": "matrix", "by": ["gpu"], "rates": [], "otherwise": {"compute": "1", "storage": "1"}}
        [line] = quote(plan(component(price)))["lines"]
        assert (line["amount"], *parts(line)) == ("0.00", "0.00", "0.00")

    def test_of_a_flat_fee_are_prorated(self):
        of = plan(fee({"compute": "80", "storage": "20"}))
        [line] = quote(of, billed_period=HALF)["lines"]
        assert (line["amount"], *parts(line)) == ("50.00", "40.00", "10.00")
