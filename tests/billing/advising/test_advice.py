"""Advice: the article's case with its break-even points worked out by hand, and what else can happen."""

import json
from datetime import UTC, datetime
from fractions import Fraction

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.advising import advice, answers, fine_prices, pricing, workloads
from billing.advising import request as requests
from billing.documents import plan as plans
from metering.documents import DocumentError
from metering.periods import Period
from tests.billing.advising.plans import (
    AT,
    CASE,
    DURATION,
    METERS,
    RESOURCE,
    USAGE,
    fee,
    per_unit,
    plan,
    usage,
)


def advise(request, **changes):
    answer = advice.advise({**request, **changes}, at=AT, opened=refuse)
    jsonschema.validate(json.loads(json.dumps(answer)), answers.schema())
    return answer


def refuse():
    raise AssertionError("nothing stored is needed")


def by_plan(answer):
    return {each["plan"]: each for each in answer["plans"]}


def points(answer, place=0):
    return [
        (
            Fraction(each.get("at_exact", each["at"])),
            each["below"],
            each["above"],
            None if each["amount"] is None else Fraction(each.get("amount_exact", each["amount"])),
        )
        for each in answer["break_evens"][place]["points"]
    ]


class TestArticlesCase:
    """1,000 calls run for 2,000 minutes on 50 GPU-hours: 150.00 by calls, 120.00 by time, 125.00 by hours."""

    def test_is_cheapest_by_run_time(self):
        answer = advise(CASE)
        assert {name: each["total"] for name, each in by_plan(answer).items()} == {
            "usage": "150.00",
            "duration": "120.00",
            "resource": "125.00",
        }
        assert answer["cheapest"] == "duration"
        assert answer["why"] == [
            "duration costs 120.00 USD: minutes, 2000 minute: 120.00.",
            "resource costs 125.00 USD, 5.00 USD more: gpu_hours, 50 GPU-hour: 125.00.",
            "usage costs 150.00 USD, 30.00 USD more: calls, 1000 call: 150.00.",
        ]

    def test_breaks_even_by_calls(self):
        # 0.15 c = 120 at 800 calls, 0.15 c = 125 at 833 1/3
        answer = advise(CASE, vary=[{"meter": "calls", "to": "2000"}])
        assert points(answer) == [
            (800, "usage", "duration", 120),
            (Fraction(2500, 3), "usage", "resource", 125),
        ]
        assert [
            (each["from"], each["to"], each["plan"]) for each in answer["break_evens"][0]["cheapest"]
        ] == [
            ("0", "800", "usage"),
            ("800", "2000", "duration"),
        ]

    def test_breaks_even_by_minutes(self):
        # 0.06 m = 125 at 2,083 1/3 minutes, 0.06 m = 150 at 2,500: 2.5 minutes a call
        answer = advise(CASE, vary=[{"meter": "minutes", "to": "4000"}])
        assert points(answer) == [
            (Fraction(6250, 3), "duration", "resource", 125),
            (2500, "duration", "usage", 150),
        ]
        assert [each["plan"] for each in answer["break_evens"][0]["cheapest"]] == ["duration", "resource"]

    def test_breaks_even_by_gpu_hours(self):
        # 2.50 h = 120 at 48 GPU-hours, 2.50 h = 150 at 60
        answer = advise(CASE, vary=[{"meter": "gpu_hours", "to": "100"}])
        assert points(answer) == [
            (48, "resource", "duration", 120),
            (60, "resource", "usage", 150),
        ]

    def test_never_changes_when_everything_grows_alike(self):
        assert points(advise(CASE, vary=[{"to": "10"}])) == []

    def test_varies_all_usage_and_each_meter_when_nobody_says_what(self):
        answer = advise(CASE)
        assert [(each["meter"], each["to"], each["now"]) for each in answer["break_evens"]] == [
            (None, "2", "1"),
            ("calls", "2000", "1000"),
            ("minutes", "4000", "2000"),
            ("gpu_hours", "100", "50"),
        ]

    def test_tells_what_a_plan_leaves_out(self):
        found = by_plan(advise(CASE))
        assert found["usage"]["left_out"] == ["gpu_hours", "minutes"]
        assert found["resource"]["modes"] == ["RESOURCE"]
        assert found["duration"]["deciding"][0]["share_percent"] == "100.0"


class TestBreakEvens:
    def test_of_a_reservation_are_exact_on_both_sides_of_it(self):
        # Reserved: 80 and 40 GPU-hours free, then 2.80. On demand 2.50: 80 at 32; 2.5 h = 80 + 2.8 (h - 40)
        # at 106 2/3.
        reserved = plan("reserved", fee("80"), per_unit("gpu_hours", "2.80", included={"quantity": "40"}))
        answer = advise(
            CASE,
            plans=[RESOURCE, reserved],
            vary=[{"meter": "gpu_hours", "to": "200"}],
        )
        assert points(answer) == [
            (32, "resource", "reserved", 80),
            (Fraction(320, 3), "reserved", "resource", Fraction(800, 3)),
        ]
        curve = answer["break_evens"][0]["curves"][1]
        assert curve["corners"] == [["0", "80"], ["40", "80"], ["200", "528"]]

    def test_of_tiers_discounts_minimums_and_groups_follow_the_rating(self):
        # Graduated: 100 at 1, then 0.50; 10 % off; at least 45: reached at 50 calls. The fee is reached
        # where 0.9 (100 + 0.5 (c - 100)) = 120: c = 166 2/3.
        tiers = [{"up_to": "100", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]
        graduated = plan(
            "graduated",
            {"code": "calls", "meter": "calls", "price": {"model": "graduated", "tiers": tiers}},
            discounts=[{"percent": "10"}],
            minimum="45",
        )
        answer = advise(
            CASE,
            plans=[graduated, plan("fee", fee("120"))],
            vary=[{"meter": "calls", "to": "1000"}],
        )
        assert points(answer) == [(Fraction(500, 3), "graduated", "fee", 120)]
        corners = answer["break_evens"][0]["curves"][0]["corners"]
        assert corners == [["0", "45"], ["50", "45"], ["100", "90"], ["1000", "495"]]

    def test_of_packages_are_told_at_the_package_that_jumps(self):
        package = {"model": "package", "package_size": "100", "package_amount": "20"}
        packed = plan("packed", {"code": "calls", "meter": "calls", "price": package})
        answer = advise(CASE, plans=[packed, plan("fee", fee("50"))], vary=[{"meter": "calls", "to": "500"}])
        assert points(answer) == [(200, "packed", "fee", None)]

    def test_are_not_bent_by_cents(self):
        # 0.000001 a call against 0.004 in all: both round to 0.00 at 4,000 calls, and still meet there.
        answer = advise(
            CASE,
            plans=[plan("tiny", per_unit("calls", "0.000001")), plan("fee", fee("0.004"))],
            vary=[{"meter": "calls", "to": "10000"}],
        )
        assert points(answer) == [(4000, "tiny", "fee", Fraction(4, 1000))]

    def test_of_a_meter_without_usage_need_to_know_how_far(self):
        with pytest.raises(DocumentError) as error:
            advise(CASE, vary=[{"meter": "bandwidth"}])
        assert error.value.field == "vary.to"
        answer = advise(
            CASE,
            plans=[plan("free", fee("10")), plan("bytes", per_unit("bandwidth", "0.1"))],
            vary=[{"meter": "bandwidth", "to": "1000"}],
        )
        assert points(answer) == [(100, "bytes", "free", 10)]

    def test_of_hourly_allowances_follow_usage_that_is_spread_over_time(self):
        # 24 hours with 1 free each: everything above is 3 a GPU-hour; 3 (h - 24) = 72 at 48
        hourly = plan("hourly", per_unit("gpu_hours", "3", included={"quantity": "1", "every": "HOUR"}))
        spread = {
            **{"meter": "gpu_hours", "quantity": "24"},
            **{"at": "2026-10-01T00:00:00Z", "until": "2026-10-02T00:00:00Z"},
        }
        answer = advise(
            {
                "workload": {"usage": [spread]},
                "plans": [hourly, plan("fee", fee("72"))],
                "vary": [{"meter": "gpu_hours", "to": "100"}],
                "period": {"start": "2026-10-01T00:00:00Z", "end": "2026-10-02T00:00:00Z"},
            }
        )
        assert points(answer) == [(48, "hourly", "fee", 72)]


AMOUNTS = st.sampled_from(["0", "0.01", "0.3", "1", "2.5", "7"])
BOUNDS = st.lists(st.integers(1, 90), max_size=2, unique=True).map(sorted)


@st.composite
def random_plans(draw, code):
    """A plan of calls: tiers, packages or free units, now and then a fee, a minimum and a discount."""
    bounds = draw(BOUNDS)
    tiers = [
        {"up_to": str(each), "unit_amount": draw(AMOUNTS), "flat_amount": draw(AMOUNTS)} for each in bounds
    ]
    price = draw(
        st.sampled_from(
            [
                {"model": "graduated", "tiers": [*tiers, {"up_to": None, "unit_amount": draw(AMOUNTS)}]},
                {"model": "volume", "tiers": [*tiers, {"up_to": None, "unit_amount": draw(AMOUNTS)}]},
                {"model": "package", "package_size": "30", "package_amount": draw(AMOUNTS)},
                {"model": "per_unit", "unit_amount": draw(AMOUNTS)},
            ]
        )
    )
    calls = {
        "code": "calls",
        "meter": "calls",
        "price": price,
        "included": {"quantity": str(draw(st.integers(0, 40)))},
    }
    fields = draw(st.sampled_from([{}, {"minimum": "40"}, {"discounts": [{"percent": "12.5"}]}]))
    return plan(code, *draw(st.sampled_from([[], [fee("13")]])), calls, **fields)


class TestLaws:
    @settings(max_examples=20)
    @given(random_plans("a"), random_plans("b"))
    def test_the_cheapest_plan_of_a_range_is_the_cheapest_when_it_is_rated(self, one, other):
        request = {"workload": {"usage": usage(calls="50")}, "plans": [one, other]}
        answer = advise(request, vary=[{"meter": "calls", "to": "100"}])
        (found,) = answer["break_evens"]
        assert all(curve["is_exact"] for curve in found["curves"])
        month = pricing.Month(Period(AT, AT.replace(month=11)), ())
        fine = {each["code"]: fine_prices.of(plans.parse(each)) for each in (one, other)}
        for each in found["cheapest"]:
            start, end = (Fraction(each.get(f"{key}_exact", each[key])) for key in ("from", "to"))
            for share in (Fraction(1, 50), Fraction(1, 3), Fraction(97, 100)):
                at = pricing.varied(month, "calls", start + (end - start) * share)
                costs = {
                    code: pricing.cost(each_plan, at, facts={}, timezone=None)
                    for code, each_plan in fine.items()
                }
                assert costs[each["plan"]] - min(costs.values()) < Fraction(1, 10**20)


class TestWork:
    def test_that_is_too_much_is_refused_before_it_is_done(self):
        with pytest.raises(advice.RequestTooLarge) as error:
            advice.advise(CASE, at=AT, opened=refuse, work_max=20)
        assert error.value.field == "workload"
        assert "too much for one request" in error.value.message

    def test_of_curves_is_bounded_and_said_to_be_inexact(self):
        tiers = [{"up_to": str(up_to), "unit_amount": str(up_to)} for up_to in range(1, 60)]
        price = {"model": "volume", "tiers": [*tiers, {"up_to": None, "unit_amount": "1"}]}
        bent = plan("bent", {"code": "calls", "meter": "calls", "price": price})
        answer = advice.advise(CASE | {"plans": [bent, USAGE]}, at=AT, opened=refuse, work_max=100_000)
        assert [each["is_exact"] for each in answer["break_evens"][0]["curves"]] == [False, True]


class TestCondensed:
    def test_costs_the_same_with_fewer_rows(self):
        rows = [
            {"meter": "gpu_hours", "quantity": f"{n}/7", "at": f"2026-10-{n:02}T00:00:00Z"}
            for n in range(1, 29)
        ]
        request = requests.parse({"workload": {"usage": rows}, "plans": [RESOURCE], "meters": METERS})
        (month,) = workloads.months(request, request.candidates[0].plan, at=AT)
        hourly = {"quantity": "1", "every": "HOUR"}
        for included, count in (({"quantity": "1"}, 1), (hourly, 28)):
            priced = plans.parse(plan("p", per_unit("gpu_hours", "2.50", included=included)))
            condensed = pricing.condensed(month, priced)
            assert len(condensed.usage) == count
            whole, fewer = (
                pricing.statement(priced, each, facts={}, timezone=None).total for each in (month, condensed)
            )
            assert whole == fewer


class TestMonths:
    MONTHS = [
        {
            "period": {"start": "2026-08-01T00:00:00Z", "end": "2026-09-01T00:00:00Z"},
            "usage": usage(calls="100"),
        },
        {
            "period": {"start": "2026-09-01T00:00:00Z", "end": "2026-10-01T00:00:00Z"},
            "usage": usage(calls="900"),
        },
        {
            "period": {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"},
            "usage": usage(calls="300"),
        },
    ]
    REQUEST = {
        "workload": {"months": MONTHS},
        "plans": [USAGE, plan("fee", fee("60"))],
        "budget": "60",
    }

    def test_have_a_range_and_an_average(self):
        found = by_plan(advise(self.REQUEST))["usage"]
        # 15 + 135 + 45 = 195
        assert [month["total"] for month in found["months"]] == ["15.00", "135.00", "45.00"]
        assert (found["total"], found["average"]) == ("195.00", "65.00")
        assert (found["lowest"], found["highest"]) == ("15.00", "135.00")

    def test_within_the_budget_are_counted(self):
        answer = advise(self.REQUEST)
        assert answer["cheapest"] == "fee"
        assert answer["budget"] == {
            "amount": "60",
            "plans": [
                {"plan": "usage", "months_within": 2, "months": 3},
                {"plan": "fee", "months_within": 3, "months": 3},
            ],
        }

    def test_of_a_plan_by_the_year_pay_their_share_of_it(self):
        yearly = plan("yearly", fee("365"), interval="YEAR")
        found = by_plan(advise(self.REQUEST, plans=[yearly]))["yearly"]
        assert [month["total"] for month in found["months"]] == ["31.00", "30.00", "31.00"]

    def test_of_a_plan_by_the_day_are_refused_and_the_others_compared(self):
        daily = plan("daily", fee("2"), interval="DAY")
        answer = advise(self.REQUEST, plans=[daily, USAGE])
        assert by_plan(answer)["daily"]["status"] == "refused"
        assert by_plan(answer)["daily"]["error"]["code"] == "period"
        assert answer["cheapest"] == "usage"


class TestPlans:
    def test_that_cannot_price_it_say_with_which_dimension(self):
        matrix = {
            **{"model": "matrix", "by": ["gpu_type"]},
            "rates": [{"when": {"gpu_type": "H100"}, "unit_amount": "3"}],
        }
        by_type = plan("by-type", {"code": "gpu", "meter": "gpu_hours", "price": matrix})
        rows = [
            {"meter": "gpu_hours", "quantity": "5", "dimensions": {"gpu_type": "H100"}},
            {"meter": "gpu_hours", "quantity": "2", "dimensions": {"gpu_type": "T4"}},
        ]
        meters = [{**METERS[2], "dimensions": {"gpu_type": "gpu_type"}}]
        answer = advise(
            {"workload": {"usage": rows}, "plans": [by_type, RESOURCE], "meters": meters, "budget": "100"}
        )
        unpriced = by_plan(answer)["by-type"]
        assert (unpriced["status"], unpriced["total"], unpriced["is_compared"]) == ("unpriced", None, False)
        assert unpriced["error"]["meter"] == "gpu_hours"
        assert unpriced["error"]["dimensions"] == {"gpu_type": "T4"}
        assert answer["cheapest"] == "resource"
        assert [each["plan"] for each in answer["budget"]["plans"]] == ["resource"]

    def test_in_other_currencies_are_priced_and_not_compared(self):
        euro = {**DURATION, "code": "euro", "currency": "EUR"}
        answer = advise(CASE, plans=[USAGE, euro])
        found = by_plan(answer)["euro"]
        assert (found["total"], found["currency"], found["is_compared"]) == ("120.00", "EUR", False)
        assert answer["cheapest"] == "usage"

    def test_none_of_which_can_price_it_give_no_advice(self):
        matrix = {"model": "matrix", "by": ["tier"], "rates": [{"when": {"tier": "x"}, "unit_amount": "1"}]}
        answer = advise(CASE, plans=[plan("m", {"code": "c", "meter": "calls", "price": matrix})])
        assert (answer["cheapest"], answer["documents"]) == (None, None)
        assert answer["why"] == ["No plan can price the workload."]

    def test_may_come_twice_with_other_overrides(self):
        cheap = {"plan": USAGE, "overrides": {"calls": {"discount_percent": "50"}}}
        answer = advise(CASE, plans=[USAGE, cheap])
        assert {name: each["total"] for name, each in by_plan(answer).items()} == {
            "usage": "150.00",
            "usage (2)": "75.00",
        }
        assert answer["documents"]["subscription"]["overrides"] == {"calls": {"discount_percent": "50"}}

    def test_of_event_amounts_are_compared_without_break_evens(self):
        dynamic = {"model": "dynamic", "amount": "cost"}
        carried = plan("carried", {"code": "calls", "meter": "calls", "price": dynamic})
        rows = [{"meter": "calls", "quantity": "1", "data": {"cost": "2.50"}}]
        answer = advise({"workload": {"usage": rows}, "plans": [carried, USAGE]})
        assert by_plan(answer)["carried"]["total"] == "2.50"
        (curve, _) = answer["break_evens"][0]["curves"]
        assert curve["corners"] == []
        assert "takes its amounts from the events" in curve["reason"]


class TestDocuments:
    def test_are_the_plan_as_it_was_given_and_a_subscription_to_it(self):
        answer = advise(CASE)
        assert answer["documents"] == {
            "plan": DURATION,
            "subscription": {
                "key": None,
                "customer": None,
                "plan": "duration",
                "start_at": "2026-11-01T00:00:00Z",
                "overrides": {},
            },
        }


class TestEstimate:
    REQUEST = {
        "workload": {
            "estimate": {
                "model": "llama-2-70b",
                "gpus": ["A100-80GB", "H100-SXM"],
                "workload": {"calls": "1000", "input_tokens": "1000", "output_tokens": "100"},
            }
        },
        "plans": [plan("usage", per_unit("model_calls", "0.15")), plan("gpu", per_unit("gpu_hours", "2.50"))],
    }

    def test_is_priced_like_any_workload(self):
        answer = advise(self.REQUEST)
        assert by_plan(answer)["usage"]["total"] == "150.00"
        hours = {each["meter"]: each["quantity"] for each in answer["workload"]}["gpu_hours"]
        expected = Fraction(hours) * Fraction("2.5")
        assert abs(Fraction(by_plan(answer)["gpu"]["total"]) - expected) <= Fraction(1, 200)
        assert answer["estimate"]["gpus"][0]["gpu"] == "A100-80GB"

    def test_is_of_the_gpu_that_was_chosen(self):
        workload = {**self.REQUEST["workload"], "gpu": "H100-SXM", "meters": {"calls": "api_calls"}}
        answer = advise(self.REQUEST, workload=workload, plans=[plan("u", per_unit("api_calls", "1"))])
        assert by_plan(answer)["u"]["total"] == "1000.00"
        hopper = answer["estimate"]["gpus"][1]["usage"]["gpu_hours"]
        assert {each["meter"]: each["quantity"] for each in answer["workload"]}["gpu_hours"] == hopper

    def test_without_a_workload_cannot_be_priced(self):
        with pytest.raises(DocumentError) as error:
            advise(self.REQUEST, workload={"estimate": {"model": "llama-2-70b"}})
        assert error.value.field == "workload.estimate.workload"

    def test_names_its_own_fields_in_errors(self):
        with pytest.raises(DocumentError) as error:
            advise(self.REQUEST, workload={"estimate": {"model": "llama-9"}})
        assert error.value.field == "workload.estimate.model"


class TestRequest:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"workload": {}}, "workload"),
            ({"workload": {"usage": usage(calls="1"), "customer": "acme"}}, "workload"),
            ({"workload": {"customer": "acme"}}, "workload.first_month"),
            (
                {"workload": {"customer": "acme", "first_month": "2026-05", "last_month": "2026-04"}},
                "workload.last_month",
            ),
            ({"workload": {"customer": "acme", "first_month": "2026-13"}}, "workload.first_month"),
            ({"workload": {"customer": "acme", "first_month": "0000-01"}}, "workload.first_month"),
            ({"workload": {"customer": "acme", "first_month": "9999-12"}}, "workload.first_month"),
            ({"workload": {"usage": [{"meter": "calls"}]}}, "workload.usage[0].quantity"),
            ({"plans": []}, "plans"),
            ({"plans": [{**USAGE, "name2": "x"}]}, "plans[0].name2"),
            ({"plans": [{"plan": USAGE, "overrides": {"cals": {}}}]}, "plans[0].overrides.cals"),
            ({"vary": [{"meter": "calls", "from": "5", "to": "5"}]}, "vary[0].to"),
            ({"budget": "-1"}, "budget"),
            ({"meters": [METERS[0], METERS[0]]}, "meters[1].slug"),
            ({"buget": "1"}, "buget"),
        ],
    )
    def test_that_is_wrong_names_the_field(self, changes, field):
        with pytest.raises(DocumentError) as error:
            advise(CASE, **changes)
        assert error.value.field == field

    def test_without_a_period_is_about_the_month_that_it_is(self):
        december = datetime(2026, 12, 31, 23, tzinfo=UTC)
        answer = advice.advise(CASE, at=december, opened=refuse)
        assert answer["months"] == [{"start": "2026-12-01T00:00:00Z", "end": "2027-01-01T00:00:00Z"}]
