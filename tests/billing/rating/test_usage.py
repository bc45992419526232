"""Which usage is priced by which component, and what is refused."""

import pytest

from billing import rating
from billing.documents import plan as plans
from metering.documents import DocumentError
from tests.billing.rating.quotes import OCTOBER, amounts, component, fee, plan, quote, used

DOLLAR = {"model": "per_unit", "unit_amount": "1"}
HOURS = {
    "slug": "gpu_hours",
    "name": "GPU-hours",
    "unit": "GPU-hour",
    "event_type": "gpu.usage",
    "aggregation": "DURATION",
    "value": "gpu_count",
    "dimensions": {"gpu_type": "gpu_type"},
}


def refused(of, *usage, **more):
    with pytest.raises(DocumentError) as error:
        quote(of, *usage, **more)
    return error.value.code, error.value.field


class TestWhere:
    def test_takes_rows_with_one_of_its_values(self):
        of = plan(
            component(DOLLAR, where={"model": ["a", "b"]}), component(DOLLAR, code="d", where={"model": "c"})
        )
        assert amounts(quote(of, used("1", model="a"), used("2", model="b"), used("4", model="c"))) == [
            ("c", "3.00"),
            ("d", "4.00"),
        ]

    def test_leaves_no_row_of_a_priced_meter_without_a_price(self):
        of = plan(component(DOLLAR, where={"model": ["gpt-4o"]}))
        assert refused(of, used("1", model="gpt-4o"), used("1", model="gpt-5")) == ("unpriced", "usage[1]")

    def test_lets_two_components_price_a_row(self):
        of = plan(component(DOLLAR), component(DOLLAR, code="d", where={"model": "a"}))
        assert amounts(quote(of, used("1", model="a"))) == [("c", "1.00"), ("d", "1.00")]

    def test_reads_a_missing_dimension_as_empty(self):
        of = plan(component(DOLLAR, where={"model": ""}))
        assert quote(of, used("1"))["total"] == "1.00"


class TestUnbilled:
    def test_lists_usage_of_a_meter_that_no_component_names(self):
        answer = quote(plan(component(DOLLAR)), {**used("3", region="eu"), "meter": "storage"})
        assert answer["unbilled"] == [
            {
                "meter": "storage",
                "dimensions": {"region": "eu"},
                "quantity": "3",
                "unit": "",
                "reason": "no component names the meter",
            }
        ]
        assert answer["total"] == "0.00"


class TestPer:
    def test_has_a_line_for_each_combination_sorted_by_values(self):
        of = plan(component(DOLLAR, per=["region", "model"]))
        rows = [
            used("1", model="b", region="eu"),
            used("2", model="a", region="us"),
            used("4", model="a", region="eu"),
        ]
        answer = quote(of, *rows)
        assert [(line["dimensions"], line["amount"]) for line in answer["lines"]] == [
            ({"model": "a", "region": "eu"}, "4.00"),
            ({"model": "a", "region": "us"}, "2.00"),
            ({"model": "b", "region": "eu"}, "1.00"),
        ]

    def test_gives_each_combination_its_own_tiers(self):
        price = {"model": "graduated", "tiers": [{"up_to": "10", "unit_amount": "1"}, {"unit_amount": "0"}]}
        of = plan(component(price, per=["model"]))
        assert quote(of, used("15", model="a"), used("15", model="b"))["total"] == "20.00"

    def test_without_usage_has_no_line_and_without_per_always_one(self):
        assert quote(plan(component(DOLLAR, per=["model"])))["lines"] == []
        assert amounts(quote(plan(component(DOLLAR)))) == [("c", "0.00")]


class TestPeriod:
    @pytest.mark.parametrize("at", ["2026-09-30T23:59:59.999999Z", "2026-11-01T00:00:00Z"])
    def test_refuses_usage_outside(self, at):
        assert refused(plan(component(DOLLAR)), used("1", at)) == ("period", "usage[0].at")

    def test_holds_an_instant_finer_than_a_microsecond_before_its_end(self):
        assert quote(plan(component(DOLLAR)), used("1", "2026-10-31T23:59:59.9999999Z"))["total"] == "1.00"

    def test_takes_a_stretch_up_to_its_end(self):
        row = {**used("1", "2026-10-31T00:00:00Z"), "until": "2026-11-01T00:00:00Z"}
        assert quote(plan(component(DOLLAR)), row)["total"] == "1.00"

    def test_refuses_a_stretch_that_ends_outside(self):
        row = {**used("1", "2026-10-31T00:00:00Z"), "until": "2026-11-01T00:00:00.000001Z"}
        assert refused(plan(component(DOLLAR)), row) == ("period", "usage[0].until")

    def test_refuses_usage_outside_the_billed_part(self):
        part = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-05T00:00:00Z"}
        assert refused(plan(component(DOLLAR)), used("1"), billed_period=part) == ("period", "usage[0].at")

    def test_refuses_a_billed_part_outside(self):
        part = {"start": "2026-10-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}
        assert refused(plan(component(DOLLAR)), billed_period=part) == ("period", "billed_period")

    def test_reads_usage_up_to_as_of(self):
        row = {**used("24", "2026-10-02T00:00:00Z"), "until": "2026-10-03T00:00:00Z"}
        rows = [row, used("100", "2026-10-05T00:00:00Z")]
        assert quote(plan(component(DOLLAR)), *rows, as_of="2026-10-02T06:00:00Z")["total"] == "6.00"


class TestNotAdditive:
    PEAK = {"code": "c", "meter": "peak", "price": DOLLAR}

    def test_refuses_two_rows_of_one_combination(self):
        rows = [{"meter": "peak", "quantity": "100"}, {"meter": "peak", "quantity": "80"}]
        assert refused(plan(self.PEAK), *rows) == ("invalid", "usage[1]")

    def test_takes_a_row_for_each_combination_of_per(self):
        rows = [
            {"meter": "peak", "quantity": q, "dimensions": {"region": r}}
            for q, r in (("100", "eu"), ("80", "us"))
        ]
        assert amounts(quote(plan({**self.PEAK, "per": ["region"]}), *rows)) == [
            ("c", "100.00"),
            ("c", "80.00"),
        ]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"included": {"quantity": "1", "every": "HOUR"}}, "plan.components[0].included"),
            ({"included": {"quantity": "1", "every": "DAY"}}, "plan.components[0].included"),
            ({"price": {"model": "percentage", "rate": "1"}}, "plan.components[0].price"),
            ({"price": {"model": "dynamic", "amount": "cost"}}, "plan.components[0].price"),
            (
                {
                    "price": {
                        "model": "time_of_use",
                        "windows": [{"from": "00:00", "to": "24:00", "unit_amount": "1"}],
                    }
                },
                "plan.components[0].price",
            ),
        ],
    )
    def test_refuses_what_needs_sums_over_time(self, change, field):
        assert refused(plan({**self.PEAK, **change})) == ("invalid", field)

    def test_is_measured_over_the_events_that_each_component_takes(self):
        events = [
            {
                "id": str(n),
                "source": "s",
                "type": "peak",
                "subject": subject,
                "time": "2026-10-02T00:00:00Z",
                "data": {"n": value, "region": region},
            }
            for n, (subject, value, region) in enumerate([("a", 100, "eu"), ("b", 80, "us"), ("c", 60, "eu")])
        ]
        of = plan(
            self.PEAK,
            {**self.PEAK, "code": "regions", "per": ["region"]},
            {**self.PEAK, "code": "subjects", "per": ["subject"]},
            {**self.PEAK, "code": "us", "where": {"region": "us"}},
        )
        answer = quote(of, events=events)
        assert amounts(answer) == [
            ("c", "100.00"),
            ("regions", "100.00"),
            ("regions", "80.00"),
            ("subjects", "100.00"),
            ("subjects", "80.00"),
            ("subjects", "60.00"),
            ("us", "80.00"),
        ]


class TestMode:
    @pytest.mark.parametrize(
        ("meter", "expected"),
        [
            ({"aggregation": "COUNT"}, "USAGE"),
            ({"aggregation": "SUM", "value": "n"}, "USAGE"),
            ({"aggregation": "MAX", "value": "n"}, "USAGE"),
            ({"aggregation": "DURATION"}, "DURATION"),
            ({"aggregation": "DURATION", "value": "gpus"}, "RESOURCE"),
            ({"aggregation": "TIME_WEIGHTED", "value": "n"}, "RESOURCE"),
            ({"aggregation": "COUNT", "mode": "DURATION"}, "DURATION"),
        ],
    )
    def test_is_the_meters(self, meter, expected):
        definition = {"slug": "units", "name": "U", "event_type": "u", **meter}
        [line] = quote(plan(component(DOLLAR)), meters=[definition])["lines"]
        assert line["mode"] == expected

    def test_of_a_meter_that_nobody_knows_is_usage(self):
        [line] = quote(plan(component(DOLLAR)), meters=[])["lines"]
        assert (line["mode"], line["unit"]) == ("USAGE", "")

    def test_of_a_component_goes_before_the_meters(self):
        [line] = quote(plan(component(DOLLAR, mode="RESOURCE")))["lines"]
        assert line["mode"] == "RESOURCE"

    def test_without_a_meter_is_fixed(self):
        assert quote(plan(fee("1")))["lines"][0]["mode"] == "FIXED"


class TestNeeds:
    @pytest.mark.parametrize(
        ("change", "quarters", "events"),
        [
            ({}, False, False),
            ({"included": {"quantity": "1"}}, False, False),
            ({"included": {"quantity": "1", "every": "HOUR"}}, True, False),
            ({"included": {"quantity": "1", "every": "DAY"}}, True, False),
            (
                {
                    "price": {
                        "model": "time_of_use",
                        "windows": [{"from": "00:00", "to": "24:00", "unit_amount": "1"}],
                    }
                },
                True,
                False,
            ),
            ({"price": {"model": "percentage", "rate": "1"}}, False, True),
            ({"price": {"model": "dynamic", "amount": "cost"}}, False, True),
        ],
    )
    def test_are_named(self, change, quarters, events):
        [part] = plans.parse(plan({**component(DOLLAR), **change})).components
        assert (rating.needs_quarters(part), rating.needs_events(part)) == (quarters, events)


class TestQuote:
    def test_is_the_same_twice(self):
        of = plan(component(DOLLAR, per=["model"]), fee("10"), minimum="100")
        rows = [used("1/3", model="a"), used("2", model="b")]
        assert quote(of, *rows) == quote(of, *rows)

    def test_answers_the_contracts_sample(self):
        request = {
            "plan": {
                "code": "p",
                "name": "P",
                "currency": "USD",
                "interval": "MONTH",
                "components": [
                    {
                        "code": "gpu",
                        "meter": "gpu_hours",
                        "price": {"model": "per_unit", "unit_amount": "2.5"},
                    }
                ],
            },
            "meters": [HOURS],
            "period": OCTOBER,
            "usage": [
                {
                    "meter": "gpu_hours",
                    "quantity": "12.5",
                    "at": "2026-10-02T10:00:00Z",
                    "dimensions": {"gpu_type": "H100"},
                    "count": 1,
                }
            ],
        }
        assert rating.quote(request) == {
            "currency": "USD",
            "subtotal": "31.25",
            "discounts": [],
            "total": "31.25",
            "unbilled": [],
            "lines": [
                {
                    "component": "gpu",
                    "group": None,
                    "kind": "usage",
                    "name": "gpu",
                    "mode": "RESOURCE",
                    "timing": "IN_ARREARS",
                    "dimensions": {},
                    "quantity": "12.5",
                    "unit": "GPU-hour",
                    "amount": "31.25",
                    "unrounded": "31.25",
                    "compute": None,
                    "storage": None,
                    "would_be": None,
                    "note": "",
                    "steps": [
                        {"label": "12.5 x 2.5", "quantity": "12.5", "unit_amount": "2.5", "amount": "31.25"}
                    ],
                }
            ],
        }

    def test_shows_quantities_that_do_not_end_as_fractions_too(self):
        [line] = quote(plan(component(DOLLAR)), used("1274317/3"))["lines"]
        assert (line["quantity"], line["quantity_exact"]) == ("424772.333333", "1274317/3")
        assert line["unrounded_exact"] == "1274317/3"

    def test_asks_for_a_stored_plan_by_code_and_version(self):
        asked = []

        def stored(code, version):
            asked.append((code, version))
            return plans.parse(plan(fee("10")))

        request = {"plan": "pro", "plan_version": 3, "period": OCTOBER}
        assert rating.quote(request, stored_plan=stored)["total"] == "10.00"
        assert asked == [("pro", 3)]

    def test_refuses_a_plan_that_is_not_stored(self):
        with pytest.raises(DocumentError) as error:
            rating.quote({"plan": "pro", "period": OCTOBER})
        assert error.value.field == "plan"

    @pytest.mark.parametrize("quantity", ["100000000000000000000", "0.0000000000000000001", "1/0", 0.5])
    def test_refuses_a_quantity_that_is_too_long_or_no_number(self, quantity):
        assert refused(plan(component(DOLLAR)), used(quantity)) == ("invalid", "usage[0].quantity")

    def test_takes_overrides(self):
        of = plan({"code": "gpus", "price": {"model": "per_unit", "unit_amount": "1000"}, "quantity": "1"})
        assert quote(of, overrides={"gpus": {"quantity": "8"}})["total"] == "8000.00"

    def test_refuses_a_float_in_a_price(self):
        of = plan(component({"model": "per_unit", "unit_amount": 0.15}))
        assert refused(of) == ("invalid", "plan.components[0].price.unit_amount")
