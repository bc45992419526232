"""Trends: fits worked out by hand, the collected histories, and the own plans."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import publishing
from billing.models import Plan
from billing.trends import answers, beside, fits, gpus, history, market, own
from billing.trends.beside import Asked, NotComparable
from billing.trends.history import Chosen
from tests.world import catalog, meters


def yearly(*prices):
    """The prices of days 365.25 days apart, as near as days can be."""
    start = date(2020, 1, 1)
    return [(start + timedelta(days=round(365.25 * n)), Decimal(price)) for n, price in enumerate(prices)]


class TestFit:
    def test_of_prices_that_halve_each_year_is_two(self):
        found = fits.fit([(date(2020, 1, 1) + timedelta(days=1461 * n), Decimal(16) ** -n) for n in range(4)])
        # 1461 days are four years: a sixteenth in four years is a half in one
        assert (f"{found.factor:.6f}", found.points) == ("2.000000", 4)
        assert abs(found.low - found.high) < 1e-6

    def test_has_the_interval_of_the_textbook(self):
        # ln(price) of 0, 1, 0, 1 at years 0..3: slope 0.2, rest 0.8 over 2 degrees, spread 5, so its error is
        # sqrt(0.4 / 5) = 0.282843; t(0.95; 2) = 2.919986: 0.2 - 0.825891 to 0.2 + 0.825891
        e = "2.718281828459045"
        found = fits.fit(
            [
                (date(2020, 1, 1) + timedelta(days=1461 * n), p)
                for n, p in enumerate(map(Decimal, ("1", e, "1", e)))
            ]
        )
        # in a year a quarter of it: exp(-0.05) and exp(-0.05 -+ 0.206473)
        assert (f"{found.factor:.4f}", f"{found.low:.4f}", f"{found.high:.4f}") == (
            "0.9512",
            "0.7738",
            "1.1694",
        )

    def test_of_fewer_than_four_prices_is_refused(self):
        with pytest.raises(fits.FitRefused, match="at least 4 prices, and there are 3"):
            fits.fit(yearly("4", "2", "1"))
        assert fits.fit(yearly("8", "4", "2", "1")).points == 4

    def test_of_one_day_is_refused(self):
        with pytest.raises(fits.FitRefused, match="one day"):
            fits.fit([(date(2020, 1, 1), Decimal(1))] * 5)

    def test_says_whether_prices_fell_or_rose(self):
        assert fits.fit(yearly("8", "4", "2", "1")).words.startswith("Prices fell by a factor of 2")
        assert fits.fit(yearly("1", "2", "4", "8")).words.startswith("Prices rose by a factor of 2")

    @pytest.mark.parametrize(
        ("degrees", "expected"), [(1, "6.3138"), (2, "2.9200"), (5, "2.0150"), (10, "1.8125"), (30, "1.6973")]
    )
    def test_takes_the_quantiles_of_the_tables(self, degrees, expected):
        assert f"{fits.quantile(0.95, degrees):.4f}" == expected

    @given(st.lists(st.decimals("0.01", "1000", places=2), min_size=4, max_size=8), st.integers(1, 1000))
    def test_does_not_depend_on_the_unit(self, prices, times):
        one, other = fits.fit(yearly(*prices)), fits.fit(yearly(*(price * times for price in prices)))
        assert one.low <= one.factor <= one.high
        assert other.factor == pytest.approx(one.factor)
        assert other.high == pytest.approx(one.high)


class TestHistory:
    def test_has_every_change_once(self):
        found = history.points(Chosen(kind="input", model="gpt-4o-mini", provider="openai"))
        assert [(each.source, str(each.price)) for each in found] == [
            ("tokencost", "0.15"),
            ("tokencost", "0.15"),  # listed a second time, as openai/gpt-4o-mini
            ("genai-prices history", "0.15"),
        ]

    def test_cleans_what_was_once_a_float(self):
        prices = [str(point.price) for kind in history.KINDS for point in history.points(Chosen(kind=kind))]
        assert max(len(price.replace(".", "").strip("0")) for price in prices) <= 9

    def test_knows_models_by_provider(self):
        assert "gpt-4o" in history.names("output")["openai"]

    def test_keeps_to_the_days_asked_for(self):
        chosen = Chosen(first=date(2025, 1, 1), last=date(2025, 1, 31))
        found = history.points(chosen)
        assert found
        assert {(each.at.year, each.at.month) for each in found} == {(2025, 1)}

    def test_of_a_family_is_fitted_with_its_interval(self):
        answer = market.answer(Chosen(kind="output", family="gpt-4", provider="openai"))
        jsonschema.validate(answer, answers.market())
        assert answer["fit"]["points"] == len(answer["points"])
        low, factor, high = (Decimal(answer["fit"][key]) for key in ("low", "factor_a_year", "high"))
        assert low < factor < high

    def test_of_everything_is_too_much(self):
        with pytest.raises(market.PointsTooMany, match="name a provider"):
            market.answer(Chosen())


class TestGpus:
    def test_fell_and_rose_again(self):
        answer = gpus.answer(family="H100")
        jsonschema.validate(answer, answers.gpus())
        kinds = {each["source_kind"]: each for each in answer["by_source_kind"]}
        assert kinds["secondary"]["turn"] == {
            "first_date": "2023-06-30",
            "first_price": "8",
            "lowest_date": "2025-10-15",
            "lowest_price": "1.7",
            "last_date": "2026-05-31",
            "last_price": "2.6",
        }
        assert kinds["secondary"]["fit"]["points"] == 7

    def test_are_not_fitted_where_prices_are_too_few(self):
        (mirror,) = gpus.answer(family="H100", source_kind="mirror")["by_source_kind"]
        assert (mirror["points"], mirror["fit"], mirror["turn"]) == (1, None, None)
        assert mirror["fit_refused"] == "a trend needs at least 4 prices, and there are 1"

    def test_have_no_turn_within_a_year(self):
        (transcribed,) = gpus.answer(family="H100", source_kind="transcribed")["by_source_kind"]
        assert transcribed["turn"] is None

    def test_are_all_there_with_their_sources(self):
        found = gpus.answer()
        assert len(found["points"]) == 32
        assert all(each["source"] for each in found["points"])
        assert found["families"] == ["A100", "B200", "H100", "H200", "T4"]


@pytest.mark.django_db
class TestOwn:
    def test_lists_every_price_of_every_version(self):
        catalog.gpu_hours()
        tiers = [
            {"up_to": "100", "unit_amount": {"compute": "2", "storage": "0.5"}, "flat_amount": "10"},
            {"up_to": None, "unit_amount": "2"},
        ]
        first = {"code": "gpu", "meter": "gpu_hours", "price": {"model": "graduated", "tiers": tiers}}
        group = {"code": "all", "combine": "SUM", "minimum": "20", "components": [first]}
        publishing.apply(document=catalog.document(group), at=catalog.LONG_AGO)
        answer = own.answer(plan="gpu-cloud")
        jsonschema.validate(answer, answers.own())
        assert [
            (each["component"], each["price"], [point["amount"] for point in each["points"]])
            for each in answer["series"]
        ] == [
            ("all", "minimum", ["20"]),
            ("gpu", "price.tiers[0].flat_amount", ["10"]),
            ("gpu", "price.tiers[0].unit_amount", ["2.5"]),
            ("gpu", "price.tiers[1].unit_amount", ["2"]),
        ]

    def test_of_no_plan_is_empty(self):
        assert own.answer(plan="nothing") == {"series": [], "is_cut": False}


@pytest.mark.django_db
class TestBeside:
    ASKED = Asked(
        plan="gpu-cloud",
        component="tokens",
        chosen=Chosen(kind="input", provider="openai", model="gpt-4o"),
        first=date(2024, 5, 13),
        last=date(2024, 5, 15),
    )

    def test_follows_versions_and_market_day_by_day(self):
        meters.meter("tokens", "SUM", value="tokens")
        for amount, at in (
            ("0.000006", catalog.LONG_AGO),
            ("0.000004", datetime(2024, 5, 15, 12, tzinfo=UTC)),
        ):
            tokens = {**catalog.component("tokens", amount), "meter": "tokens"}
            publishing.apply(
                document=catalog.document(
                    tokens, effective_at=at.isoformat() if Plan.objects.exists() else None
                ),
                at=catalog.LONG_AGO,
            )
        answer = beside.answer(self.ASKED)
        jsonschema.validate(answer, answers.beside())
        assert [(each["date"], each["own"], each["market"], each["ratio"]) for each in answer["days"]] == [
            ("2024-05-13", "6", None, None),
            ("2024-05-14", "6", "5", "1.2"),
            ("2024-05-15", "4", "5", "0.8"),
        ]

    def test_of_another_currency_is_refused(self):
        catalog.gpu_hours()
        publishing.apply(document=catalog.document(currency="EUR"), at=catalog.LONG_AGO)
        with pytest.raises(NotComparable, match="in EUR"):
            beside.answer(self.ASKED)
