"""The page of prices over time, of the market, of GPUs, of the own plans, and beside each other."""

from datetime import UTC, date, datetime

import pytest

from billing import publishing
from billing.console.trends import charts
from tests.billing.console import month
from tests.world import catalog, meters

pytestmark = pytest.mark.django_db
ADDRESS = "/console/trends/"


def page(client, **asked):
    answer = client.get(ADDRESS, asked)
    return answer, answer.content.decode()


@pytest.fixture
def tokens(db):
    """Output tokens at 0.00002 each, and from July 2025 on at 0.00001."""
    meters.meter("output_tokens", "SUM", "llm.call", value="output", unit="token")
    for amount, effective_at in (("0.00002", None), ("0.00001", "2025-07-01T00:00:00Z")):
        price = {"model": "per_unit", "unit_amount": amount}
        document = catalog.document(
            {"code": "out", "name": "Output", "meter": "output_tokens", "price": price}, code="tokens"
        )
        dated = {**document, "effective_at": effective_at} if effective_at else document
        publishing.apply(document=dated, at=datetime(2025, 1, 1, tzinfo=UTC))


class TestMarket:
    def test_opens_with_a_provider_a_fit_and_its_interval(self, owner):
        answer, text = page(owner)
        assert "Prices fell by a factor of 1.239 a year" in text
        assert "90 % interval of the fall: 0.8521 to 1.801, 278 points" in text
        names = [each["name"] for each in answer.context["drawn"]["series"]]
        assert names[-3:] == ["the fit", "90 %: slowest fall", "90 %: fastest fall"]

    def test_draws_a_colour_for_each_of_several_providers(self, owner):
        answer, _ = page(owner, kind="output", family="gpt-4o")
        kinds = {each["kind"] for each in answer.context["drawn"]["series"][:3]}
        assert kinds == {"points"}

    def test_says_why_there_is_no_fit(self, owner):
        _, text = page(owner, kind="output", provider="openai", model="gpt-5")
        assert "No trend: a trend needs at least 4 prices" in text

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"family": ""}, "provider"),
            ({"kind": "moon"}, "kind"),
            ({"first": "May"}, "first"),
            ({"provider": "openai", "first": "2025-02-01", "last": "2025-01-01"}, "last"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(self, owner, asked, field):
        answer, _ = page(owner, **asked)
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]

    def test_says_what_to_do_where_nothing_is_found(self, owner):
        assert "No such prices" in page(owner, provider="nobody")[1]

    def test_is_for_those_who_may_see_plans(self, client):
        client.force_login(month.clerk("billing.view_invoice"))
        assert client.get(ADDRESS).status_code == 403


class TestGpus:
    def test_tell_the_kinds_of_sources_apart_and_show_the_turn(self, owner):
        answer, text = page(owner, about="gpus")
        kinds = [kind["source_kind"] for kind in answer.context["kinds"]]
        assert kinds == ["transcribed", "mirror", "secondary"]
        assert "$8.00 on 2023-06-30, $1.70 on 2025-10-15, $2.60 on 2026-05-31" in text
        turn = next(each for each in answer.context["drawn"]["series"] if each["kind"] == "dashes")
        assert turn["points"] == [["2023-06-30", 8.0], ["2025-10-15", 1.7], ["2026-05-31", 2.6]]

    def test_refuse_a_trend_of_too_few(self, owner):
        assert "a trend needs at least 4 prices" in page(owner, about="gpus", source_kind="mirror")[1]


class TestOwnPrices:
    def test_say_how_to_begin(self, owner):
        assert "No plans yet" in page(owner, about="plans")[1]

    def test_are_steps_by_version(self, owner, tokens):
        answer, text = page(owner, about="plans")
        (drawn,) = answer.context["drawn"]["series"]
        assert [amount for _, amount in drawn["points"]] == [0.00002, 0.00001, 0.00001]
        assert drawn["points"][1][0] == "2025-07-01"
        assert "version 2, from 2025-07-01" in text


class TestBeside:
    ASKED = {
        "about": "beside",
        "own": "tokens / out / price.unit_amount",
        "per": "1000000",
        "kind": "output",
        "provider": "openai",
        "model": "gpt-4o",
        "first": "2025-06-01",
        "last": "2025-08-01",
    }

    def test_says_what_can_be_chosen(self, owner, tokens):
        assert "Beside what?" in page(owner, about="beside")[1]

    def test_says_how_to_begin_without_a_price_in_dollars(self, owner):
        assert "No own price to compare" in page(owner, about="beside")[1]

    def test_shows_both_on_the_days_of_a_change(self, owner, tokens):
        # from 20 to 10 USD for a million tokens on 1 July; the lists hold 10 for gpt-4o, but 15 for some days
        answer, text = page(owner, **self.ASKED)
        rows = answer.context["rows"]
        assert [(row["date"], row["own"], row["market"], row["ratio"]) for row in rows] == [
            ("2025-08-01", "10", "10", "1"),
            ("2025-07-04", "10", "10", "1"),
            ("2025-07-01", "10", "15", "0.6667"),
            ("2025-06-22", "20", "15", "1.3333"),
            ("2025-06-01", "20", "10", "2"),
        ]
        assert "On 2025-08-01 the own price is 1 times the market’s" in text

    @pytest.mark.parametrize(
        ("changed", "field"),
        [({"model": ""}, "model"), ({"model": "moon"}, "model"), ({"last": "2025-05-01"}, "last")],
    )
    def test_says_what_is_wrong_beside_the_field(self, owner, tokens, changed, field):
        answer, _ = page(owner, **{**self.ASKED, **changed})
        assert answer.status_code == 400
        assert list(answer.context["form"].errors) == [field]


class TestCharts:
    def test_leave_small_prices_visible(self):
        series = [
            {
                "name": name,
                "price": "p",
                "currency": "USD",
                "points": [{"effective_at": None, "amount": amount}],
            }
            for name, amount in (("fee", "500"), ("token", "0.00001"))
        ]
        assert charts.own(series, today=date(2026, 1, 1))["y"]["type"] == "log"
        assert charts.own(series[:1], today=date(2026, 1, 1))["y"]["type"] == "value"
