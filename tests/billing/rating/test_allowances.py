"""Included units: in time order, by period, day and hour."""

import pytest

from metering.documents import DocumentError
from tests.billing.rating.quotes import amounts, component, plan, quote, used

DOLLAR = {"model": "per_unit", "unit_amount": "1"}
BY_GPU = {
    "model": "matrix",
    "by": ["gpu"],
    "rates": [{"when": {"gpu": "H100"}, "unit_amount": "3"}, {"when": {"gpu": "A100"}, "unit_amount": "1"}],
}


def included(quantity, every="PERIOD"):
    return {"quantity": quantity, "every": every}


def total(of, *usage, **more):
    return quote(of, *usage, **more)["total"]


class TestPeriod:
    @pytest.mark.parametrize(
        ("quantity", "expected"), [("0", "0.00"), ("9", "0.00"), ("10", "0.00"), ("11", "1.00")]
    )
    def test_frees_the_first_units(self, quantity, expected):
        assert total(plan(component(DOLLAR, included=included("10"))), used(quantity)) == expected

    def test_is_prorated(self):
        # 31 units a month, 10 of 31 days: 10 free
        of = plan(component(DOLLAR, included=included("31")))
        assert (
            total(
                of, used("15"), billed_period={"start": "2026-10-01T00:00:00Z", "end": "2026-10-11T00:00:00Z"}
            )
            == "5.00"
        )

    def test_is_not_prorated_where_the_component_says_so(self):
        of = plan(component(DOLLAR, included=included("10"), prorate=False))
        assert (
            total(
                of, used("15"), billed_period={"start": "2026-10-01T00:00:00Z", "end": "2026-10-11T00:00:00Z"}
            )
            == "5.00"
        )

    def test_goes_to_the_earlier_usage(self):
        of = plan(component(BY_GPU, included=included("1")))
        first_cheap = [
            used("1", "2026-10-02T00:00:00Z", gpu="A100"),
            used("1", "2026-10-03T00:00:00Z", gpu="H100"),
        ]
        first_dear = [
            used("1", "2026-10-03T00:00:00Z", gpu="A100"),
            used("1", "2026-10-02T00:00:00Z", gpu="H100"),
        ]
        assert total(of, *first_cheap) == "3.00"
        assert total(of, *first_dear) == "1.00"

    def test_goes_by_dimension_values_inside_a_quarter_hour(self):
        # one hour free, an H100 at 3 and an A100 at 1 in one quarter hour: the A100 has it, by name
        of = plan(component(BY_GPU, included=included("1")))
        dear_first = [
            used("1", "2026-10-02T10:00:00Z", gpu="H100"),
            used("1", "2026-10-02T10:14:00Z", gpu="A100"),
        ]
        assert total(of, *dear_first) == "3.00"

    def test_is_each_combinations_own(self):
        # 1,000,000 free by model and two models: each has its own
        of = plan(
            component(
                {"model": "per_unit", "unit_amount": "0.00001"}, per=["model"], included=included("1000000")
            )
        )
        answer = quote(of, used("1500000", model="a"), used("1200000", model="b"))
        assert amounts(answer) == [("c", "5.00"), ("c", "2.00")]

    def test_frees_nothing_of_a_negative_quantity(self):
        of = plan(component(DOLLAR, included=included("10"), allow_negative=True))
        assert total(of, used("-5")) == "-5.00"

    def test_counts_a_correction_against_the_usage_before_it(self):
        # 10 less 5 is 5, below the 8 that are free
        of = plan(component(DOLLAR, included=included("8")))
        assert total(of, used("10", "2026-10-02T10:00:00Z"), used("-5", "2026-10-03T10:00:00Z")) == "0.00"


class TestHour:
    OF = plan(component(DOLLAR, included=included("8", "HOUR")))

    def test_frees_so_much_in_every_hour(self):
        # 64 free an hour: 100 in one hour and 20 in another
        of = plan(component(DOLLAR, included=included("64", "HOUR")))
        rows = [used("100", "2026-10-02T10:00:00Z"), used("20", "2026-10-02T11:00:00Z")]
        assert total(of, *rows) == "36.00"

    def test_frees_a_gpu_that_runs_all_month(self):
        row = {**used("744", "2026-10-01T00:00:00Z"), "until": "2026-11-01T00:00:00Z"}
        assert total(self.OF, row) == "0.00"

    def test_of_ten_all_month_leaves_two(self):
        row = {**used("7440", "2026-10-01T00:00:00Z"), "until": "2026-11-01T00:00:00Z"}
        assert total(self.OF, row) == "1488.00"

    def test_refuses_a_row_without_an_instant(self):
        with pytest.raises(DocumentError) as error:
            total(self.OF, used("720", None))
        assert (error.value.code, error.value.field) == ("invalid", "usage[0].at")

    def test_is_the_local_hour(self):
        # 10:15 and 10:45 UTC are one hour in UTC, two in India
        rows = [used("8", "2026-10-02T10:15:00Z"), used("8", "2026-10-02T10:45:00Z")]
        assert total(self.OF, *rows) == "8.00"
        assert total(self.OF, *rows, timezone="Asia/Kolkata") == "0.00"

    def test_begins_at_a_quarter_past_in_nepal(self):
        rows = [used("8", "2026-10-02T10:00:00Z"), used("8", "2026-10-02T10:30:00Z")]
        assert total(self.OF, *rows) == "8.00"
        assert total(self.OF, *rows, timezone="Asia/Kathmandu") == "0.00"

    def test_is_full_in_an_hour_that_the_period_cuts(self):
        rows = [used("8", "2026-10-01T10:30:00Z"), used("8", "2026-10-01T11:00:00Z")]
        cut = {"start": "2026-10-01T10:30:00Z", "end": "2026-10-01T11:30:00Z"}
        assert total(self.OF, *rows, billed_period=cut) == "0.00"


class TestDay:
    def test_is_full_on_a_day_of_25_hours(self):
        of = plan(component(DOLLAR, included=included("24", "DAY")), timezone="Europe/Berlin")
        # 25 October in Berlin is 24 Oct 22:00 to 25 Oct 23:00 UTC
        row = {**used("25", "2026-10-24T22:00:00Z"), "until": "2026-10-25T23:00:00Z"}
        assert total(of, row) == "1.00"

    def test_is_the_plans_zone_unless_the_quote_names_another(self):
        of = plan(component(DOLLAR, included=included("5", "DAY")))
        rows = [used("5", "2026-10-02T23:00:00Z"), used("5", "2026-10-03T01:00:00Z")]
        assert total(of, *rows) == "0.00"
        assert total(of, *rows, timezone="Europe/Berlin") == "5.00"


class TestStep:
    def test_says_how_much_was_included(self):
        answer = quote(plan(component(DOLLAR, included=included("10"))), used("12.5"))
        [line] = answer["lines"]
        assert [(step["label"], step["amount"]) for step in line["steps"]] == [
            ("included: 10", "0"),
            ("2.5 x 1", "2.5"),
        ]
        assert line["quantity"] == "12.5"
