"""Price changes inside a period: tiers go on counting, fees and bounds are shared by time."""

from fractions import Fraction

import pytest

from metering.documents import DocumentError
from tests.billing.rating.quotes import amounts, component, fee, plan, quote, used

BEFORE, AFTER = "2026-10-10T00:00:00Z", "2026-10-20T00:00:00Z"
HALF = "2026-10-16T12:00:00Z"


def changed(old, new, *usage, at=HALF, **more):
    """The quote where the plan of `new` follows that of `old`, by default after half of October."""
    segments = [{"from": "2026-10-01T00:00:00Z", "plan": plan(*old)}, {"from": at, "plan": plan(*new)}]
    return quote({}, *usage, segments=segments, **more)


def priced(old, new, *usage):
    [line] = changed([component(old, allow_negative=True)], [component(new, allow_negative=True)], *usage)[
        "lines"
    ]
    return line.get("unrounded_exact", line["unrounded"])


class TestTiers:
    def test_go_on_counting(self):
        # v1: 100 at 1.00, then 0.50 and 10 flat; v2: 200 at 2.00, then 1.00 and 10 flat; 150 units, then 100
        # v1 takes 100 + 25 + 10 = 135; v2 takes positions 150 to 250: 50 x 2.00 + 50 x 1.00 + 10 = 160
        old = {
            "model": "graduated",
            "tiers": [{"up_to": "100", "unit_amount": "1"}, {"unit_amount": "0.5", "flat_amount": "10"}],
        }
        new = {
            "model": "graduated",
            "tiers": [{"up_to": "200", "unit_amount": "2"}, {"unit_amount": "1", "flat_amount": "10"}],
        }
        assert priced(old, new, used("150", BEFORE), used("100", AFTER)) == "295"

    def test_first_flat_amount_is_due_once(self):
        old = {"model": "graduated", "tiers": [{"flat_amount": "10", "unit_amount": "1"}]}
        new = {"model": "graduated", "tiers": [{"flat_amount": "20", "unit_amount": "1"}]}
        assert priced(old, new, used("5", BEFORE), used("5", AFTER)) == "20"
        assert priced(old, new, used("5", AFTER)) == "15"

    def test_of_a_percentage_go_on_counting(self):
        old = {"model": "graduated_percentage", "tiers": [{"up_to": "100", "rate": "10"}, {"rate": "1"}]}
        new = {"model": "graduated_percentage", "tiers": [{"up_to": "200", "rate": "20"}, {"rate": "2"}]}
        # 10 + 0.5, then 50 at 20 % and 50 at 2 %
        assert priced(old, new, used("150", BEFORE), used("100", AFTER)) == "21.5"

    @pytest.mark.parametrize(
        ("first", "second", "expected"), [("150", "100", "3"), ("120", "70", "2"), ("100", "100", "2")]
    )
    def test_packages_go_on_counting(self, first, second, expected):
        price = {"model": "package", "package_size": "100", "package_amount": "1"}
        assert priced(price, price, used(first, BEFORE), used(second, AFTER)) == expected

    def test_of_volume_are_chosen_by_the_whole_quantity(self):
        old = {
            "model": "volume",
            "tiers": [
                {"up_to": "100", "unit_amount": "1", "flat_amount": "5"},
                {"unit_amount": "0.5", "flat_amount": "7"},
            ],
        }
        new = {
            "model": "volume",
            "tiers": [
                {"up_to": "100", "unit_amount": "2", "flat_amount": "6"},
                {"unit_amount": "1", "flat_amount": "8"},
            ],
        }
        # 150 in all: 80 at 0.5, 70 at 1, and the last version's flat amount
        assert priced(old, new, used("80", BEFORE), used("70", AFTER)) == "118"

    def test_free_events_go_on_counting(self):
        old = {"model": "percentage", "rate": "1", "free_events": 2}
        new = {"model": "percentage", "rate": "2", "free_events": 2}
        rows = [used("100", BEFORE), used("100", AFTER), used("100", "2026-10-21T00:00:00Z")]
        assert priced(old, new, *rows) == "2"

    def test_of_another_price_model_begin_anew_on_the_same_line(self):
        old = {"model": "graduated", "tiers": [{"up_to": "100", "unit_amount": "1"}, {"unit_amount": "0.5"}]}
        new = {"model": "volume", "tiers": [{"up_to": "100", "unit_amount": "2"}, {"unit_amount": "1"}]}
        # 100 + 25, then 100 alone at 2
        assert priced(old, new, used("150", BEFORE), used("100", AFTER)) == "325"


class TestTimes:
    def test_usage_is_priced_by_the_version_of_its_instant(self):
        old, new = ({"model": "per_unit", "unit_amount": amount} for amount in ("1", "2"))
        rows = [used("1", "2026-10-16T11:59:59.999999Z"), used("1", HALF)]
        answer = changed([component(old)], [component(new)], *rows)
        assert [step["label"] for step in answer["lines"][0]["steps"]] == ["v1: 1 x 1", "v2: 1 x 2"]
        assert answer["total"] == "3.00"

    def test_a_stretch_of_time_is_cut_exactly(self):
        old, new = ({"model": "per_unit", "unit_amount": amount} for amount in ("1", "2"))
        row = {**used("60", "2026-10-05T10:00:00Z"), "until": "2026-10-05T11:00:00Z"}
        answer = changed([component(old)], [component(new)], row, at="2026-10-05T10:07:00Z")
        # 7 minutes at 1, 53 at 2
        assert answer["total"] == "113.00"


class TestShares:
    def test_of_fees_add_up(self):
        # 100 for 9 days and 200 for 22 of 31
        answer = changed([fee("100")], [fee("200")], at=BEFORE)
        assert answer["lines"][0]["unrounded_exact"] == str(Fraction(100 * 9 + 200 * 22, 31))
        assert answer["total"] == "170.97"

    def test_of_a_quantity_add_up(self):
        seats = {"code": "seats", "price": {"model": "per_unit", "unit_amount": "20"}}
        [line] = changed([{**seats, "quantity": "10"}], [{**seats, "quantity": "20"}])["lines"]
        assert (line["quantity"], line["amount"]) == ("15", "300.00")

    def test_are_the_first_versions_value_where_nothing_is_prorated(self):
        assert changed([fee("100", prorate=False)], [fee("200", prorate=False)])["total"] == "100.00"

    def test_of_minimum_and_maximum_add_up(self):
        price = {"model": "per_unit", "unit_amount": "1"}
        low = changed([component(price, minimum="100")], [component(price, minimum="200")], used("1", BEFORE))
        assert low["total"] == "150.00"
        high = changed(
            [component(price, maximum="100")], [component(price, maximum="200")], used("900", BEFORE)
        )
        assert high["total"] == "150.00"

    def test_of_an_allowance_are_one_pool(self):
        price = {"model": "per_unit", "unit_amount": "1"}
        old, new = (component(price, included={"quantity": free}) for free in ("100", "200"))
        assert changed([old], [new], used("120", BEFORE), used("60", AFTER))["total"] == "30.00"

    def test_of_a_new_component_begin_with_it(self):
        answer = changed([fee("100")], [fee("100"), fee("50", code="extra")])
        assert amounts(answer) == [("fee", "100.00"), ("extra", "25.00")]

    def test_of_a_dropped_component_end_with_it(self):
        answer = changed([fee("100"), fee("50", code="extra")], [fee("100")])
        assert amounts(answer) == [("fee", "100.00"), ("extra", "25.00")]


class TestAllowanceByTheHour:
    def test_is_that_of_the_version_in_which_the_hour_begins(self):
        price = {"model": "per_unit", "unit_amount": "1"}
        old, new = (component(price, included={"quantity": free, "every": "HOUR"}) for free in ("8", "2"))
        rows = [used("8", "2026-10-16T12:15:00Z"), used("8", "2026-10-16T13:15:00Z")]
        # the hour of 12:00 began under the old version, that of 13:00 under the new
        assert changed([old], [new], *rows, at="2026-10-16T12:15:00Z")["total"] == "6.00"


class TestDiscount:
    def test_is_each_versions_on_its_own_charges(self):
        price = {"model": "per_unit", "unit_amount": "1"}
        old, new = component(price, discount_percent="10"), component(price)
        assert changed([old], [new], used("100", BEFORE), used("100", AFTER))["total"] == "190.00"


class TestGroup:
    def test_chooses_once_for_the_whole_period_by_the_last_structure(self):
        price = {"model": "per_unit", "unit_amount": "1"}

        def group(combine):
            return {"code": "g", "combine": combine, "components": [component(price), fee("50")]}

        answer = changed([group("SUM")], [group("GREATEST")], used("30", BEFORE), used("30", AFTER))
        # 60 of usage against a fee of 25 + 25
        assert amounts(answer) == [("c", "60.00"), ("fee", "0.00")]
        assert answer["lines"][1]["would_be"] == "50.00"

    def test_has_bounds_by_share(self):
        def group(maximum):
            price = {"model": "per_unit", "unit_amount": "1"}
            return {"code": "g", "combine": "SUM", "components": [component(price)], "maximum": maximum}

        answer = changed([group("100")], [group("200")], used("900", BEFORE))
        assert answer["total"] == "150.00"

    def test_keeps_a_component_that_only_an_earlier_version_has(self):
        old = {"code": "g", "combine": "SUM", "components": [fee("10"), fee("20", code="gone")]}
        new = {"code": "g", "combine": "SUM", "components": [fee("10")], "discount_percent": "10"}
        answer = changed([old], [new])
        # 10.00 and half of 20, less 10 %
        assert amounts(answer) == [("fee", "10.00"), ("gone", "10.00"), ("g", "-2.00")]


class TestNotAdditive:
    def test_each_version_prices_the_whole_quantity_for_its_share(self):
        # peak 100 GB at 0.10, the same price from the 15th on: 10.00 and not 20.00
        peak = {"code": "c", "meter": "peak", "price": {"model": "per_unit", "unit_amount": "0.10"}}
        row = {"meter": "peak", "quantity": "100"}
        assert changed([peak], [peak], row)["total"] == "10.00"

    def test_with_another_price_is_the_mean_by_time(self):
        old, new = (
            {"code": "c", "meter": "peak", "price": {"model": "per_unit", "unit_amount": price}}
            for price in ("1", "3")
        )
        assert changed([old], [new], {"meter": "peak", "quantity": "100"})["total"] == "200.00"

    def test_allowance_is_taken_off_once(self):
        peak = {
            "code": "c",
            "meter": "peak",
            "price": {"model": "per_unit", "unit_amount": "1"},
            "included": {"quantity": "40"},
        }
        assert changed([peak], [peak], {"meter": "peak", "quantity": "100"})["total"] == "60.00"


class TestSegments:
    def test_must_cover_the_billed_period(self):
        with pytest.raises(DocumentError, match="without gap"):
            quote({}, segments=[{"from": "2026-10-02T00:00:00Z", "plan": plan(fee("1"))}])

    def test_must_share_a_currency(self):
        other = {**plan(fee("1")), "currency": "EUR"}
        segments = [{"from": "2026-10-01T00:00:00Z", "plan": plan(fee("1"))}, {"from": HALF, "plan": other}]
        with pytest.raises(DocumentError) as error:
            quote({}, segments=segments)
        assert error.value.code == "currency"

    def test_of_another_plan_begin_anew(self):
        price = {"model": "graduated", "tiers": [{"up_to": "100", "unit_amount": "1"}, {"unit_amount": "0"}]}
        other = {**plan(component(price)), "code": "upgraded"}
        segments = [
            {"from": "2026-10-01T00:00:00Z", "plan": plan(component(price))},
            {"from": HALF, "plan": other},
        ]
        assert quote({}, used("150", BEFORE), used("50", AFTER), segments=segments)["total"] == "150.00"
