"""Each price model against a table worked by hand: zero, one, the bound, one past it, a fraction, huge,
tiny, negative.
"""

from fractions import Fraction

import pytest

from metering.documents import DocumentError
from tests.billing.rating.quotes import component, plan, price_of, quote, used

TIERS = [
    {"up_to": "100", "unit_amount": "1.00"},
    {"up_to": "200", "unit_amount": "0.50", "flat_amount": "10"},
    {"up_to": None, "unit_amount": "0.25", "flat_amount": "7"},
]
FIRST_FLAT = [{"up_to": "10", "flat_amount": "5"}, {"unit_amount": "2"}]


class TestPerUnit:
    @pytest.mark.parametrize(
        ("unit_amount", "quantity", "expected"),
        [
            ("2.5", "0", "0"),
            ("2.5", "1", "2.5"),
            ("2.5", "12.5", "31.25"),
            ("0.000000000001", "1000000000000000000", "1000000"),
            ("0.000000000001", "1", "0.000000000001"),
            ("2.5", "0.000000000000000001", "0.0000000000000000025"),
            ("0.000000123456789012", "999999999999999999", "123456789011.999999876543210988"),
            ("0.123456789012", "999999999999999999", "123456789011999999.876543210988"),
            ("3", "1/3", "1"),
            ("1", "1/3", "1/3"),
            # a decimal of 217 places is exact as a fraction
            ("0.123456789012345678", f"1/{2**199}", f"{61728394506172839}/{5 * 10**17 * 2**199}"),
            ("2.5", "-4", "-10"),
        ],
    )
    def test_is_quantity_times_price(self, unit_amount, quantity, expected):
        assert price_of({"model": "per_unit", "unit_amount": unit_amount}, used(quantity)) == expected


class TestFlat:
    @pytest.mark.parametrize("quantity", ["0", "1", "0.5", "1000000000000000000", "-3"])
    def test_ignores_the_quantity(self, quantity):
        assert price_of({"model": "flat", "amount": "49.9"}, used(quantity)) == "49.9"

    def test_is_due_without_usage(self):
        assert price_of({"model": "flat", "amount": "49.9"}) == "49.9"

    def test_may_be_tiny(self):
        assert price_of({"model": "flat", "amount": "0.000000000001"}, used("1")) == "0.000000000001"


class TestPackage:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("0", "0"),
            ("0.000000000000000001", "8"),
            ("1", "8"),
            ("100", "8"),
            ("100.000001", "16"),
            ("101", "16"),
            ("1000000000000000000", "80000000000000000"),
            ("-50", "0"),
            ("-100", "-8"),
            ("-150", "-8"),
        ],
    )
    def test_counts_packages_begun(self, quantity, expected):
        price = {"model": "package", "package_size": "100", "package_amount": "8"}
        assert price_of(price, used(quantity)) == expected

    def test_of_one_hour_takes_three_times_forty_minutes_as_two(self):
        price = {"model": "package", "package_size": "1", "package_amount": "10"}
        assert price_of(price, used("2/3"), used("2/3"), used("2/3")) == "20"

    def test_may_have_a_tiny_price(self):
        price = {"model": "package", "package_size": "3", "package_amount": "0.000000000001"}
        assert price_of(price, used("7")) == "0.000000000003"

    def test_may_be_of_a_fraction_of_a_unit(self):
        price = {"model": "package", "package_size": "0.25", "package_amount": "2"}
        assert price_of(price, used("0.5")) == "4"
        assert price_of(price, used("0.500001")) == "6"


class TestGraduated:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("0", "0"),
            ("1", "1"),
            ("0.5", "0.5"),
            ("100", "100"),
            ("100.5", "110.25"),
            ("101", "110.5"),
            ("200", "160"),
            ("201", "167.25"),
            ("1000000000000000000", "250000000000000117"),
            ("-10", "-10"),
        ],
    )
    def test_prices_the_units_inside_each_tier(self, quantity, expected):
        assert price_of({"model": "graduated", "tiers": TIERS}, used(quantity)) == expected

    @pytest.mark.parametrize(("quantity", "expected"), [("0", "5"), ("10", "5"), ("11", "7"), ("-1", "5")])
    def test_first_flat_amount_is_always_due(self, quantity, expected):
        assert price_of({"model": "graduated", "tiers": FIRST_FLAT}, used(quantity)) == expected

    def test_first_flat_amount_is_due_without_usage(self):
        assert price_of({"model": "graduated", "tiers": FIRST_FLAT}) == "5"

    @pytest.mark.parametrize(
        ("quantity", "expected"), [("100", "0"), ("100.5", "3"), ("101", "3"), ("110", "3"), ("111", "6")]
    )
    def test_counts_whole_packages_inside_a_tier(self, quantity, expected):
        tiers = [{"up_to": "100"}, {"unit_amount": "3", "package_size": "10"}]
        assert price_of({"model": "graduated", "tiers": tiers}, used(quantity)) == expected

    def test_of_a_bound_with_decimals(self):
        tiers = [{"up_to": "0.5", "unit_amount": "1"}, {"unit_amount": "2"}]
        assert price_of({"model": "graduated", "tiers": tiers}, used("0.75")) == "1"

    def test_of_tiny_prices(self):
        tiers = [{"up_to": "1000000", "unit_amount": "1e-12"}, {"unit_amount": "1e-13"}]
        assert price_of({"model": "graduated", "tiers": tiers}, used("1000001")) == "0.0000010000001"

    def test_counts_three_times_forty_minutes_inside_two_hours(self):
        tiers = [{"up_to": "2", "unit_amount": "1"}, {"unit_amount": "1", "flat_amount": "100"}]
        rows = [used("2/3"), used("2/3"), used("2/3")]
        assert price_of({"model": "graduated", "tiers": tiers}, *rows) == "2"


class TestVolume:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("0", "0"),
            ("1", "1"),
            ("0.5", "0.5"),
            ("100", "100"),
            ("100.5", "60.25"),
            ("101", "60.5"),
            ("200", "110"),
            ("201", "57.25"),
            ("1000000000000000000", "250000000000000007"),
            ("-10", "-10"),
        ],
    )
    def test_prices_all_units_at_the_tier_that_holds_them(self, quantity, expected):
        assert price_of({"model": "volume", "tiers": TIERS}, used(quantity)) == expected

    @pytest.mark.parametrize(("quantity", "expected"), [("0", "5"), ("10", "5"), ("11", "22"), ("-1", "5")])
    def test_of_nothing_is_the_first_tiers_flat_amount(self, quantity, expected):
        assert price_of({"model": "volume", "tiers": FIRST_FLAT}, used(quantity)) == expected

    def test_counts_whole_packages(self):
        tiers = [
            {"up_to": "100", "unit_amount": "5", "package_size": "50"},
            {"unit_amount": "40", "package_size": "500"},
        ]
        assert price_of({"model": "volume", "tiers": tiers}, used("51")) == "10"
        assert price_of({"model": "volume", "tiers": tiers}, used("501")) == "80"

    def test_may_have_tiny_prices(self):
        tiers = [{"up_to": "1000000", "unit_amount": "1e-12"}, {"unit_amount": "1e-13"}]
        assert price_of({"model": "volume", "tiers": tiers}, used("1000000")) == "0.000001"
        assert price_of({"model": "volume", "tiers": tiers}, used("1000001")) == "0.0000001000001"


class TestPercentage:
    @pytest.mark.parametrize(
        ("more", "values", "expected"),
        [
            ({}, [], "0"),
            ({}, ["100"], "2.9"),
            ({}, ["0"], "0"),
            ({"fixed_amount": "0.30"}, ["100", "50"], "4.95"),
            ({"fixed_amount": "0.30"}, ["0"], "0.3"),
            ({"free_events": 1}, ["100", "50"], "1.45"),
            ({"free_events": 1, "fixed_amount": "0.30"}, ["100", "50"], "1.75"),
            # 60 free, 40 of the second 60 free: it pays the rate on 20
            ({"free_quantity": "100"}, ["60", "60"], "0.58"),
            ({"free_quantity": "100", "fixed_amount": "0.30"}, ["60", "60", "10"], "1.47"),
            ({"free_quantity": "100"}, ["100", "10"], "0.29"),
            # both bind: free while fewer than 1 event and less than 100
            ({"free_quantity": "100", "free_events": 1}, ["60", "60"], "1.74"),
            ({"free_quantity": "50", "free_events": 5}, ["60", "60"], "2.03"),
            ({"minimum_per_event": "1"}, ["10", "100"], "3.9"),
            ({"maximum_per_event": "2"}, ["10", "100"], "2.29"),
            ({"minimum_per_event": "1", "free_events": 1}, ["10", "10"], "1"),
            # a refund pays the rate alone, and uses up nothing
            ({"minimum_per_event": "0.30", "fixed_amount": "0.10"}, ["-100"], "-2.9"),
            ({"free_events": 1}, ["-100", "100"], "-2.9"),
            ({"free_events": 0, "free_quantity": "0"}, ["100"], "2.9"),
            ({}, ["1000000000000000000"], "29000000000000000"),
            ({}, ["0.000000000001"], "0.000000000000029"),
            ({}, ["1"], "0.029"),
            ({}, ["0.5"], "0.0145"),
            ({"free_quantity": "100"}, ["101"], "0.029"),
            ({"free_events": 2}, ["1", "1"], "0"),
            ({"free_events": 2}, ["1", "1", "1"], "0.029"),
            ({"rate": "0.000000000001"}, ["100"], "0.000000000001"),
            ({"fixed_amount": "0.000000000001"}, ["0"], "0.000000000001"),
        ],
    )
    def test_takes_a_rate_and_a_fixed_amount_of_each_event(self, more, values, expected):
        price = {"model": "percentage", "rate": "2.9", **more}
        rows = [used(value, f"2026-10-05T10:0{n}:00Z") for n, value in enumerate(values)]
        assert price_of(price, *rows) == expected

    def test_orders_events_by_time(self):
        price = {"model": "percentage", "rate": "10", "free_events": 1}
        assert price_of(price, used("100", "2026-10-06T00:00:00Z"), used("7", "2026-10-05T00:00:00Z")) == "10"

    def test_orders_events_of_one_instant_by_source_and_id(self):
        price = {"model": "percentage", "rate": "10", "free_events": 1}
        usual = {"type": "units", "subject": "t", "time": "2026-10-05T00:00:00Z"}
        events = [
            {**usual, "source": "s", "id": "b", "data": {"n": 100}},
            {**usual, "source": "s", "id": "a", "data": {"n": 7}},
            {**usual, "source": "r", "id": "c", "data": {"n": 50}},
        ]
        # r/c is free; 10 % of 7 and of 100
        assert quote(plan(component(price)), events=events)["total"] == "10.70"

    def test_refuses_a_row_of_several_events(self):
        with pytest.raises(DocumentError, match=r"usage\[0\]\.count"):
            price_of({"model": "percentage", "rate": "1"}, {**used("100"), "count": 2})

    def test_takes_values_in_cents(self):
        assert (
            price_of({"model": "percentage", "rate": "10", "amount_unit": "MINOR"}, used("1234.5"))
            == "1.2345"
        )


class TestGraduatedPercentage:
    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [
            ("0", "1"),
            ("1", "1.02"),
            ("1000", "21"),
            ("1001", "31.01"),
            ("1500", "36"),
            ("-100", "-1"),
            ("0.000000000001", "1.00000000000002"),
            ("1000000000000000000", "10000000000000021"),
        ],
    )
    def test_takes_each_tiers_rate_of_the_part_inside(self, quantity, expected):
        tiers = [{"up_to": "1000", "rate": "2", "flat_amount": "1"}, {"rate": "1", "flat_amount": "10"}]
        assert price_of({"model": "graduated_percentage", "tiers": tiers}, used(quantity)) == expected

    def test_may_have_a_tiny_rate(self):
        price = {"model": "graduated_percentage", "tiers": [{"rate": "0.000000000001"}]}
        assert price_of(price, used("100")) == "0.000000000001"


MATRIX = {
    "model": "matrix",
    "by": ["gpu", "region"],
    "rates": [
        {"when": {"gpu": "H100"}, "unit_amount": "3"},
        {"when": {"gpu": ["A100", "A800"]}, "unit_amount": "1"},
        {"when": {"gpu": "H100", "region": "eu"}, "unit_amount": "4"},
    ],
}


class TestMatrix:
    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            ([], "0"),
            ([used("0", gpu="H100")], "0"),
            ([used("1", gpu="H100")], "3"),
            ([used("2", gpu="H100", region="us")], "6"),
            ([used("2", gpu="H100")], "6"),
            ([used("2", gpu="H100", region="eu")], "8"),
            ([used("2", gpu="A800", region="eu"), used("1", gpu="A100")], "3"),
            ([used("0.5", gpu="H100"), used("1/3", gpu="A100")], "11/6"),
            ([used("-2", gpu="H100")], "-6"),
            ([used("1000000000000000000", gpu="A100")], "1000000000000000000"),
        ],
    )
    def test_takes_the_rate_that_names_most_dimensions(self, rows, expected):
        assert price_of(MATRIX, *rows) == expected

    def test_refuses_usage_without_a_rate(self):
        with pytest.raises(DocumentError) as error:
            price_of(MATRIX, used("1", gpu="H100"), used("1", gpu="B200"))
        assert (error.value.code, error.value.field) == ("unpriced", "usage[1]")

    def test_prices_the_rest_otherwise(self):
        assert price_of({**MATRIX, "otherwise": "0.1"}, used("1", gpu="B200")) == "0.1"

    def test_may_have_a_tiny_price(self):
        price = {**MATRIX, "otherwise": "0.000000000001"}
        assert price_of(price, used("1", gpu="B200")) == "0.000000000001"
        assert price_of(price, used("1000000000000000000", gpu="B200")) == "1000000"


NIGHT = {
    "model": "time_of_use",
    "timezone": "Europe/Berlin",
    "windows": [{"days": ["FRI"], "from": "22:00", "to": "06:00", "unit_amount": "1"}],
    "otherwise": "10",
}


class TestTimeOfUse:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            # Friday 2 October 2026; Berlin is two hours ahead of UTC
            ("2026-10-02T19:59:59Z", "10"),
            ("2026-10-02T20:00:00Z", "1"),
            ("2026-10-03T03:59:59Z", "1"),
            ("2026-10-03T04:00:00Z", "10"),
            # Saturday night is no Friday night
            ("2026-10-03T23:00:00Z", "10"),
        ],
    )
    def test_goes_by_the_local_day_on_which_the_window_begins(self, at, expected):
        assert price_of(NIGHT, used("1", at)) == expected

    @pytest.mark.parametrize(
        ("night", "day", "expected"),
        [
            ("0", "0", "0"),
            ("1", "1", "11"),
            ("0.5", "1/3", "23/6"),
            ("1000000000000000000", "0", "1000000000000000000"),
            ("-2", "1", "8"),
            ("0", "-1", "-10"),
        ],
    )
    def test_prices_each_window_by_its_own_units(self, night, day, expected):
        rows = [used(night, "2026-10-02T20:00:00Z"), used(day, "2026-10-03T04:00:00Z")]
        assert price_of(NIGHT, *rows) == expected

    def test_may_have_a_tiny_price(self):
        windows = [{"from": "00:00", "to": "24:00", "unit_amount": "0.000000000001"}]
        price = {"model": "time_of_use", "timezone": "UTC", "windows": windows}
        assert price_of(price, used("1")) == "0.000000000001"
        assert price_of(price, used("1000000000000000000")) == "1000000"

    def test_goes_by_the_quarter_hours_start(self):
        windows = [{"from": "00:00", "to": "10:10", "unit_amount": "1"}]
        price = {"model": "time_of_use", "timezone": "UTC", "windows": windows, "otherwise": "10"}
        assert price_of(price, used("1", "2026-10-05T10:14:00Z")) == "1"
        assert price_of(price, used("1", "2026-10-05T10:15:00Z")) == "10"

    def test_has_a_repeated_hour_twice(self):
        # 25 October 2026, Berlin: 02:00-03:00 comes twice, from 00:00 and from 01:00 UTC
        windows = [{"days": ["SUN"], "from": "02:00", "to": "03:00", "unit_amount": "1"}]
        price = {"model": "time_of_use", "timezone": "Europe/Berlin", "windows": windows, "otherwise": "10"}
        row = {**used("4", "2026-10-24T23:00:00Z"), "until": "2026-10-25T03:00:00Z"}
        assert price_of(price, row) == "22"

    def test_has_a_missing_hour_never(self):
        # 29 March 2026, Berlin: clocks jump from 02:00 to 03:00 at 01:00 UTC
        windows = [{"days": ["SUN"], "from": "02:00", "to": "03:00", "unit_amount": "1"}]
        price = {"model": "time_of_use", "timezone": "Europe/Berlin", "windows": windows, "otherwise": "10"}
        row = {**used("4", "2026-03-28T23:00:00Z"), "until": "2026-03-29T03:00:00Z"}
        march = {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}
        assert quote(plan(component(price)), row, period=march)["total"] == "40.00"

    def test_holds_sunday_night_on_monday(self):
        windows = [{"days": ["SUN"], "from": "22:00", "to": "06:00", "unit_amount": "1"}]
        price = {"model": "time_of_use", "timezone": "UTC", "windows": windows, "otherwise": "10"}
        assert price_of(price, used("1", "2026-10-05T05:45:00Z")) == "1"

    def test_refuses_usage_outside_its_windows(self):
        price = {key: value for key, value in NIGHT.items() if key != "otherwise"}
        with pytest.raises(DocumentError) as error:
            price_of(price, used("1", "2026-10-05T10:00:00Z"))
        assert (error.value.code, error.value.field) == ("unpriced", "usage[0]")

    def test_refuses_a_row_without_an_instant(self):
        with pytest.raises(DocumentError) as error:
            price_of(NIGHT, used("1", None))
        assert (error.value.code, error.value.field) == ("invalid", "usage[0].at")

    def test_splits_a_stretch_of_time(self):
        # 19:30 to 20:30 UTC is half day, half night in Berlin
        row = {**used("8", "2026-10-02T19:30:00Z"), "until": "2026-10-02T20:30:00Z"}
        assert price_of(NIGHT, row) == "44"


class TestDynamic:
    PRICE = {"model": "dynamic", "amount": "cost"}

    @pytest.mark.parametrize(
        ("more", "costs", "expected"),
        [
            ({}, [], "0"),
            ({}, ["0.00123", "0.1000000000000000055511151231257827"], "0.1012300000000000055511151231257827"),
            ({"markup_percent": "20"}, ["10", "5"], "18"),
            ({"markup_percent": "-10"}, ["10"], "9"),
            ({"amount_unit": "MINOR"}, ["1234.5"], "12.345"),
            ({}, ["-3"], "-3"),
            ({}, ["0"], "0"),
            ({}, ["1"], "1"),
            ({}, ["0.5", "1"], "1.5"),
            ({}, ["1000000000000000000"], "1000000000000000000"),
            ({"markup_percent": "0.01"}, ["0.000000000001"], "0.0000000000010001"),
        ],
    )
    def test_adds_up_what_events_carry(self, more, costs, expected):
        rows = [{**used("1"), "data": {"cost": cost}} for cost in costs]
        price = {**self.PRICE, **more}
        assert Fraction(price_of(price, *rows)) == Fraction(expected)

    @pytest.mark.parametrize(
        "data", [{}, {"cost": None}, {"cost": "much"}, {"cost": True}, {"cost": "1e31"}, {"cost": "1e-70"}]
    )
    def test_refuses_an_event_without_an_amount(self, data):
        with pytest.raises(DocumentError) as error:
            price_of(self.PRICE, {**used("1"), "data": data})
        assert (error.value.code, error.value.field) == ("unpriced", "usage[0]")

    @pytest.mark.parametrize(
        ("currency", "cost", "expected"), [("JPY", "1234", "1234"), ("KWD", "1234.5", "1.2345")]
    )
    def test_takes_the_smallest_unit_of_its_currency(self, currency, cost, expected):
        price = {**self.PRICE, "amount_unit": "MINOR"}
        of = {**plan(component(price)), "currency": currency}
        [line] = quote(of, {**used("1"), "data": {"cost": cost}})["lines"]
        assert line["unrounded"] == expected

    def test_refuses_a_row_of_several_events(self):
        with pytest.raises(DocumentError) as error:
            price_of(self.PRICE, {**used("2"), "count": 2, "data": {"cost": "1"}})
        assert (error.value.code, error.value.field) == ("invalid", "usage[0].count")

    def test_refuses_an_event_in_another_currency(self):
        price = {**self.PRICE, "amount_currency": "currency"}
        with pytest.raises(DocumentError) as error:
            price_of(price, {**used("1"), "data": {"cost": "1", "currency": "EUR"}})
        assert error.value.code == "currency"

    def test_refuses_a_plan_in_another_currency(self):
        price = {**self.PRICE, "amount_currency": "EUR"}
        with pytest.raises(DocumentError) as error:
            price_of(price)
        assert (error.value.code, error.value.field) == (
            "currency",
            "plan.components[0].price.amount_currency",
        )


class TestFixedComponent:
    @pytest.mark.parametrize(
        ("price", "quantity", "expected"),
        [
            ({"model": "flat", "amount": "10"}, "8", "10"),
            ({"model": "per_unit", "unit_amount": "1000"}, "8", "8000"),
            ({"model": "per_unit", "unit_amount": "1000"}, None, "1000"),
            ({"model": "per_unit", "unit_amount": "1000"}, "0", "0"),
            ({"model": "per_unit", "unit_amount": "1000"}, "0.5", "500"),
            ({"model": "per_unit", "unit_amount": "1e-12"}, "1000000000000000000", "1000000"),
            ({"model": "graduated", "tiers": TIERS}, "0", "0"),
            ({"model": "graduated", "tiers": TIERS}, "100", "100"),
            ({"model": "graduated", "tiers": TIERS}, "101", "110.5"),
            ({"model": "volume", "tiers": TIERS}, "0", "0"),
            ({"model": "volume", "tiers": TIERS}, "100", "100"),
            ({"model": "volume", "tiers": TIERS}, "101", "60.5"),
            ({"model": "package", "package_size": "5", "package_amount": "3"}, "0", "0"),
            ({"model": "package", "package_size": "5", "package_amount": "3"}, "10", "6"),
            ({"model": "package", "package_size": "5", "package_amount": "3"}, "11", "9"),
            ({"model": "graduated", "tiers": TIERS}, "150", "135"),
            ({"model": "volume", "tiers": TIERS}, "150", "85"),
        ],
    )
    def test_is_priced_by_its_quantity(self, price, quantity, expected):
        of = plan({"code": "c", "quantity": quantity, "price": price})
        [line] = quote(of)["lines"]
        assert (line["kind"], line["mode"], line["unrounded"]) == ("fixed", "FIXED", expected)

    @pytest.mark.parametrize(
        ("price", "quantity", "expected"),
        [
            # half of 49.9, and of what the whole quantity costs: bounds and packages stay whole
            ({"model": "flat", "amount": "49.9"}, "1", "24.95"),
            ({"model": "package", "package_size": "5", "package_amount": "3"}, "11", "4.5"),
            ({"model": "graduated", "tiers": TIERS}, "150", "67.5"),
            ({"model": "volume", "tiers": TIERS}, "150", "42.5"),
        ],
    )
    def test_of_any_price_model_is_prorated(self, price, quantity, expected):
        half = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-16T12:00:00Z"}
        [line] = quote(plan({"code": "c", "quantity": quantity, "price": price}), billed_period=half)["lines"]
        assert line["unrounded"] == expected

    def test_is_prorated(self):
        part = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-18T00:00:00Z"}
        of = plan({"code": "c", "quantity": "31", "price": {"model": "per_unit", "unit_amount": "2"}})
        [line] = quote(of, billed_period=part)["lines"]
        assert (line["unrounded"], line["quantity"], line["steps"][0]["label"]) == (
            "34",
            "31",
            "31 x 2 x 17/31",
        )
