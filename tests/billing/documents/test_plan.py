"""Plans as documents."""

from decimal import Decimal

import pytest

from billing.documents import plan, plan_checks
from metering.documents import DocumentError, load_text, meter

USAGE = {"code": "c", "meter": "units", "price": {"model": "per_unit", "unit_amount": "1"}}
FEE = {"code": "fee", "price": {"model": "flat", "amount": "10"}}


def document(*components, **more):
    return {"code": "p", "name": "P", "currency": "USD", "components": list(components), **more}


def priced(price):
    return document({**USAGE, "price": price})


def refused(of):
    with pytest.raises(DocumentError) as error:
        plan.parse(of)
    return error.value.code, error.value.field


def group(combine, *components, **more):
    return {"code": "g", "combine": combine, "components": list(components), **more}


C0 = "plan.components[0]"


class TestParse:
    def test_fills_in_the_defaults(self):
        parsed = plan.parse(document(USAGE))
        assert (parsed.interval, parsed.interval_count, parsed.timezone) == ("MONTH", 1, "UTC")
        assert (parsed.migration, parsed.minimum, parsed.effective_at) == ("NEXT_PERIOD", None, None)
        [component] = parsed.components
        assert (component.name, component.mode, component.quantity) == ("c", None, 1)
        assert (component.timing, component.prorate, component.allow_negative) == ("IN_ARREARS", True, False)
        assert (component.maximum, component.minimum, component.discount_percent) == (None, None, 0)

    def test_reads_yaml(self):
        text = """
        code: gpu-cloud-pro
        name: GPU Cloud Pro
        currency: USD
        components:
          - code: input-tokens
            meter: input_tokens
            where: {model: [gpt-4o]}
            per: [model]
            included: {quantity: 1000000, every: DAY}
            price: {model: graduated, tiers: [{up_to: 10}, {up_to: null, unit_amount: 1e-05}]}
            maximum: "500.00"
        """
        [component] = plan.parse(load_text(text, "plan.yaml")).components
        assert component.price.tiers[1].unit_amount.total == Decimal("0.00001")
        assert component.where == (("model", ("gpt-4o",)),)

    def test_lists_components_of_groups_and_their_meters(self):
        parsed = plan.parse(
            document(group("GREATEST", group("SUM", USAGE, code="inner"), FEE), {**FEE, "code": "x"})
        )
        assert [component.code for component in parsed.all_components()] == ["c", "fee", "x"]
        assert [node.code for node in parsed.nodes()] == ["g", "inner", "c", "fee", "x"]
        assert parsed.meters() == {"units"}
        assert parsed.component("fee").price.amount.total == 10
        assert parsed.component("g") is None

    @pytest.mark.parametrize(
        ("of", "code", "field"),
        [
            (document(), "invalid", "plan.components"),
            (document(USAGE, curency="USD"), "unknown_key", "plan.curency"),
            ({**document(USAGE), "currency": "usd"}, "invalid", "plan.currency"),
            (document(USAGE, interval="FORTNIGHT"), "invalid", "plan.interval"),
            (document(USAGE, interval_count="0"), "invalid", "plan.interval_count"),
            (document(USAGE, timezone="Mars/Olympus"), "invalid", "plan.timezone"),
            (document(USAGE, USAGE), "invalid", "plan.components[1].code"),
            (
                document(group("SUM", {**FEE, "code": "g"})),
                "invalid",
                "plan.components[0].components[0].code",
            ),
            (document({**USAGE, "price": None}), "invalid", f"{C0}.price"),
            (document({**USAGE, "meter": None}), "invalid", ""),
            (document({**FEE, "where": {"a": "b"}}), "invalid", f"{C0}.where"),
            (document({**FEE, "per": ["a"]}), "invalid", f"{C0}.per"),
            (document({**FEE, "included": {"quantity": "1"}}), "invalid", f"{C0}.included"),
            (document({**USAGE, "quantity": "2"}), "invalid", f"{C0}.quantity"),
            (document({**USAGE, "per": ["a", "a"]}), "invalid", f"{C0}.per"),
            (
                document({**FEE, "price": {"model": "matrix", "by": ["a"], "rates": []}}),
                "invalid",
                f"{C0}.price",
            ),
            (document({**USAGE, "maximum": "1", "minimum": "2"}), "invalid", f"{C0}.maximum"),
            (document({**USAGE, "maximum": "500.505"}), "currency", f"{C0}.maximum"),
            ({**document({**USAGE, "minimum": "500.50"}), "currency": "JPY"}, "currency", f"{C0}.minimum"),
            ({**document(USAGE, minimum="0.5"), "currency": "JPY"}, "currency", "plan.minimum"),
            (document({**USAGE, "discount_percent": "101"}), "invalid", f"{C0}.discount_percent"),
            (document({**USAGE, "timing": "IN_ADVANCE"}), "invalid", f"{C0}.timing"),
            (document({**FEE, "timing": "IN_ADVANCE", "minimum": "1"}), "invalid", f"{C0}.timing"),
            (
                document(group("GREATEST", group("SUM", {**FEE, "timing": "IN_ADVANCE"}, code="h"))),
                "invalid",
                "plan.components[0].components[0].components[0].timing",
            ),
            (document(group("MEAN", FEE)), "invalid", f"{C0}.combine"),
            (document(group("SUM")), "invalid", f"{C0}.components"),
            (
                document({**USAGE, "included": {"quantity": "1", "every": "WEEK"}}),
                "invalid",
                f"{C0}.included.every",
            ),
            (document(USAGE, discounts=[{"percent": "-1"}]), "invalid", "plan.discounts[0].percent"),
        ],
    )
    def test_refuses(self, of, code, field):
        if field == "":
            plan.parse(of)  # null is absent: a fixed component
        else:
            assert refused(of) == (code, field)

    def test_takes_a_minimum_with_zeros_beyond_the_currencys_digits(self):
        assert plan.parse({**document({**USAGE, "minimum": "500.00"}), "currency": "JPY"})

    def test_takes_a_fee_in_advance_in_a_sum(self):
        assert plan.parse(document(group("SUM", {**FEE, "timing": "IN_ADVANCE"})))


class TestPrice:
    @pytest.mark.parametrize(
        ("price", "code", "field"),
        [
            ({"model": "per_units", "unit_amount": "1"}, "invalid", "model"),
            ({"unit_amount": "1"}, "invalid", "model"),
            ({"model": "per_unit"}, "invalid", "unit_amount"),
            ({"model": "per_unit", "unit_amount": "-1"}, "invalid", "unit_amount"),
            ({"model": "per_unit", "unit_amount": "0.0000000000000000001"}, "invalid", "unit_amount"),
            ({"model": "per_unit", "unit_amount": Decimal("0.5")}, "invalid", "unit_amount"),
            ({"model": "per_unit", "unit_amount": {"compute": "1"}}, "invalid", "unit_amount.storage"),
            ({"model": "per_unit", "unit_amount": "1", "amount": "2"}, "unknown_key", "amount"),
            ({"model": "package", "package_size": "0", "package_amount": "1"}, "invalid", "package_size"),
            ({"model": "graduated", "tiers": []}, "invalid", "tiers"),
            ({"model": "graduated", "tiers": [{"up_to": "1"}]}, "invalid", "tiers[0].up_to"),
            ({"model": "graduated", "tiers": [{}, {}]}, "invalid", "tiers[0].up_to"),
            (
                {"model": "graduated", "tiers": [{"up_to": "2"}, {"up_to": "2"}, {}]},
                "invalid",
                "tiers[1].up_to",
            ),
            ({"model": "graduated", "tiers": [{"up_to": "0"}, {}]}, "invalid", "tiers[0].up_to"),
            ({"model": "graduated", "tiers": [{"upto": "2"}, {}]}, "unknown_key", "tiers[0].upto"),
            (
                {"model": "graduated", "tiers": [{"flat_amount": {"compute": "1", "storage": "1"}}]},
                "invalid",
                "tiers[0].flat_amount",
            ),
            ({"model": "percentage", "rate": "1", "free_events": "1.5"}, "invalid", "free_events"),
            (
                {"model": "percentage", "rate": "1", "minimum_per_event": "2", "maximum_per_event": "1"},
                "invalid",
                "maximum_per_event",
            ),
            ({"model": "matrix", "by": [], "rates": []}, "invalid", "by"),
            (
                {"model": "matrix", "by": ["a"], "rates": [{"when": {}, "unit_amount": "1"}]},
                "invalid",
                "rates[0].when",
            ),
            (
                {"model": "matrix", "by": ["a"], "rates": [{"when": {"b": "x"}, "unit_amount": "1"}]},
                "invalid",
                "rates[0].when.b",
            ),
            (
                {"model": "time_of_use", "windows": [{"from": "08:00", "to": "08:00", "unit_amount": "1"}]},
                "invalid",
                "windows[0].to",
            ),
            (
                {"model": "time_of_use", "windows": [{"from": "24:00", "to": "08:00", "unit_amount": "1"}]},
                "invalid",
                "windows[0].from",
            ),
            (
                {
                    "model": "time_of_use",
                    "windows": [
                        {"days": ["FRI"], "from": "22:00", "to": "06:00", "unit_amount": "1"},
                        {"days": ["SAT"], "from": "05:00", "to": "07:00", "unit_amount": "1"},
                    ],
                },
                "invalid",
                "windows[1]",
            ),
            (
                {
                    "model": "time_of_use",
                    "windows": [
                        {"days": ["SUN"], "from": "22:00", "to": "06:00", "unit_amount": "1"},
                        {"days": ["MON"], "from": "05:00", "to": "07:00", "unit_amount": "1"},
                    ],
                },
                "invalid",
                "windows[1]",
            ),
            ({"model": "dynamic", "amount": {"compute": "1", "storage": "2"}}, "invalid", "amount"),
            ({"model": "percentage", "rate": "1", "amount_currency": "EUR"}, "currency", "amount_currency"),
        ],
    )
    def test_refuses(self, price, code, field):
        assert refused(priced(price)) == (code, f"{C0}.price.{field}")

    def test_refuses_an_allowance_that_would_mean_nothing(self):
        for price in ({"model": "percentage", "rate": "1"}, {"model": "flat", "amount": "1"}):
            assert refused(document({**USAGE, "price": price, "included": {"quantity": "1"}})) == (
                "invalid",
                f"{C0}.included",
            )

    def test_suggests_what_was_meant(self):
        with pytest.raises(DocumentError, match=r"tiers\[0\]\.upto: unknown key, did you mean up_to\?"):
            plan.parse(priced({"model": "graduated", "tiers": [{"upto": "1"}, {}]}))

    @pytest.mark.parametrize(
        ("first", "second", "is_tie"),
        [
            ({"gpu": "H100"}, {"gpu": "A100"}, False),
            ({"gpu": "H100"}, {"gpu": ["A100", "H100"]}, True),
            ({"gpu": "H100"}, {"region": "eu"}, True),
            ({"gpu": "H100"}, {"gpu": "H100", "region": "eu"}, False),
            ({"gpu": "H100", "region": "eu"}, {"gpu": "H100", "region": "us"}, False),
            ({"gpu": "H100", "region": "eu"}, {"gpu": "A100", "tier": "spot"}, False),
            ({"gpu": "H100", "region": "eu"}, {"gpu": "H100", "tier": "spot"}, True),
        ],
    )
    def test_refuses_rates_that_tie(self, first, second, is_tie):
        rates = [{"when": when, "unit_amount": "1"} for when in (first, second)]
        of = priced({"model": "matrix", "by": ["gpu", "region", "tier"], "rates": rates})
        if is_tie:
            assert refused(of) == ("invalid", f"{C0}.price.rates[1]")
        else:
            plan.parse(of)

    def test_takes_windows_that_meet(self):
        windows = [
            {"from": "22:00", "to": "06:00", "unit_amount": "1"},
            {"from": "06:00", "to": "22:00", "unit_amount": "2"},
        ]
        plan.parse(priced({"model": "time_of_use", "windows": windows}))


class TestOverrides:
    PARSED = plan.parse(document({**USAGE, "maximum": "50", "minimum": "5"}, group("GREATEST", FEE)))

    def test_replace_whole_values(self):
        changed = plan.apply_overrides(
            self.PARSED, {"c": {"included": {"quantity": "5", "every": "HOUR"}, "maximum": "60"}}
        )
        component = changed.component("c")
        assert (component.included.quantity, component.included.every) == (5, "HOUR")
        assert (component.maximum, component.minimum) == (60, 5)
        assert self.PARSED.component("c").maximum == 50

    def test_reach_into_groups(self):
        assert plan.apply_overrides(self.PARSED, {"fee": {"quantity": "8"}}).component("fee").quantity == 8

    def test_take_away_with_null(self):
        assert plan.apply_overrides(self.PARSED, {"c": {"maximum": None}}).component("c").maximum is None

    @pytest.mark.parametrize(
        ("overrides", "code", "field"),
        [
            ({"d": {}}, "unknown_key", "overrides.d"),
            ({"g": {"maximum": "1"}}, "unknown_key", "overrides.g"),
            ({"c": {"per": ["x"]}}, "unknown_key", "overrides.c.per"),
            ({"c": {"quantity": "5"}}, "invalid", "overrides.c.quantity"),
            ({"c": {"maximum": "4"}}, "invalid", "overrides.c.maximum"),
            ({"c": {"maximum": "4.005"}}, "currency", "overrides.c.maximum"),
            (
                {"fee": {"price": {"model": "matrix", "by": ["a"], "rates": []}}},
                "invalid",
                "overrides.fee.price",
            ),
            ({"fee": {"included": {"quantity": "1"}}}, "invalid", "overrides.fee.included"),
            ({"fee": {"price": None}}, "invalid", "overrides.fee.price"),
        ],
    )
    def test_refuse(self, overrides, code, field):
        with pytest.raises(DocumentError) as error:
            plan.apply_overrides(self.PARSED, overrides)
        assert (error.value.code, error.value.field) == (code, field)

    def test_of_nothing_change_nothing(self):
        assert plan.apply_overrides(self.PARSED, {}) == self.PARSED
        assert plan.apply_overrides(self.PARSED, None) == self.PARSED


class TestCheckDimensions:
    DEFINITION = meter.parse(
        {
            "slug": "units",
            "name": "U",
            "event_type": "u",
            "aggregation": "COUNT",
            "dimensions": {"model": "model"},
        }
    )

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"per": ["modle"]}, f"{C0}.per"),
            ({"where": {"modle": "x"}}, f"{C0}.where"),
            (
                {"price": {"model": "matrix", "by": ["modle"], "rates": [], "otherwise": "1"}},
                f"{C0}.price.by",
            ),
        ],
    )
    def test_refuses_a_dimension_that_the_meter_does_not_have(self, change, field):
        with pytest.raises(DocumentError, match="did you mean model") as error:
            plan_checks.check_dimensions(
                plan.parse(document({**USAGE, **change})), {"units": self.DEFINITION}
            )
        assert error.value.field == field

    def test_knows_the_subject(self):
        plan_checks.check_dimensions(
            plan.parse(document({**USAGE, "per": ["subject", "model"]})), {"units": self.DEFINITION}
        )


class TestCanonical:
    def test_takes_equal_numbers_as_equal(self):
        one = document(
            {**USAGE, "price": {"model": "per_unit", "unit_amount": {"compute": "0.10", "storage": "1e-2"}}}
        )
        same = document(
            {**USAGE, "price": {"model": "per_unit", "unit_amount": {"compute": "0.1", "storage": "0.01"}}},
            minimum=None,
        )
        assert plan.canonical(one) == plan.canonical(same)

    def test_reads_its_own_output(self):
        of = document(
            group("GREATEST", USAGE, FEE, maximum="10.0"), discounts=[{"percent": "10.0", "name": "L"}]
        )
        once = plan.canonical(of)
        assert plan.canonical(once) == once
        assert plan.parse(once) == plan.parse(of)

    def test_tells_prices_apart(self):
        other = {**USAGE, "price": {"model": "per_unit", "unit_amount": "2"}}
        assert plan.canonical(document(USAGE)) != plan.canonical(document(other))
