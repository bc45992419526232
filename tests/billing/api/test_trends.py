"""GET /api/v1/trends/...: prices over time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing import publishing
from tests.world import catalog, meters

pytestmark = pytest.mark.django_db


class TestMarket:
    def test_lists_the_prices_of_a_model(self, ask):
        answer = ask("GET", "/trends/market?kind=input&provider=openai&model=gpt-4o&to=2024-12-31").json()
        assert [(each["date"], each["price"]) for each in answer["points"]] == [
            ("2024-05-14", "5"),
            ("2024-11-15", "2.5"),
        ]
        assert answer["fit"] is None
        assert answer["fit_refused"] == "a trend needs at least 4 prices, and there are 2"

    def test_fits_a_family(self, ask):
        answer = ask("GET", "/trends/market?kind=output&family=gpt-4o&provider=openai").json()
        assert answer["fit"]["points"] == len(answer["points"]) >= 4

    @pytest.mark.parametrize("query", ["kind=images", "from=yesterday", "modle=gpt-4o"])
    def test_refuses_what_it_does_not_know(self, ask, query):
        assert ask("GET", f"/trends/market?{query}").status_code == 400


class TestGpus:
    def test_tells_source_kinds_apart(self, ask):
        answer = ask("GET", "/trends/gpus?gpu=H100").json()
        kinds = {each["source_kind"]: each for each in answer["by_source_kind"]}
        assert kinds["secondary"]["turn"]["lowest_price"] == "1.7"

    def test_refuses_a_gpu_without_prices(self, ask):
        response = ask("GET", "/trends/gpus?gpu=H1000")
        assert response.status_code == 400
        assert "H100" in response.json()["detail"]


class TestPlans:
    def test_follow_their_versions(self, ask):
        catalog.gpu_hours()
        catalog.plan()
        publishing.apply(
            document=catalog.document(catalog.component(unit_amount="3")),
            at=datetime(2026, 11, 1, tzinfo=UTC),
        )
        (series,) = ask("GET", "/trends/plans?plan=gpu-cloud").json()["series"]
        assert (series["component"], series["price"]) == ("gpu", "price.unit_amount")
        assert [(each["version"], each["effective_at"], each["amount"]) for each in series["points"]] == [
            (1, None, "2.5"),
            (2, "2026-11-01T00:00:00Z", "3"),
        ]


class TestBeside:
    def test_compares_day_by_day(self, ask):
        meters.meter("tokens", "SUM", value="tokens")
        tokens = {**catalog.component("tokens", "0.000003"), "meter": "tokens"}
        publishing.apply(document=catalog.document(tokens), at=catalog.LONG_AGO)
        query = "plan=gpu-cloud&component=tokens&provider=openai&model=gpt-4o&kind=input"
        answer = ask("GET", f"/trends/beside?{query}&from=2024-11-14&to=2024-11-15").json()
        assert [(each["own"], each["market"], each["ratio"]) for each in answer["days"]] == [
            ("3", "5", "0.6"),
            ("3", "2.5", "1.2"),
        ]

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("plan=none&component=gpu", "there is no plan none"),
            ("plan=gpu-cloud&component=gpus", "has no component gpus"),
            ("plan=gpu-cloud&component=gpu&model=gpt-none", "the market has no such price"),
        ],
    )
    def test_says_what_cannot_be_compared(self, ask, query, words):
        catalog.gpu_hours()
        catalog.plan()
        response = ask("GET", f"/trends/beside?{query}&from=2026-01-01&to=2026-01-02")
        assert response.status_code == 400
        assert words in response.json()["detail"]
