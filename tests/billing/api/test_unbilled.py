"""/api/v1/unbilled: usage that no invoice has, and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.invoicing import running
from metering import rolling
from metering.models import EventKey
from tests.world import catalog, events, meters

NOW = catalog.IN_NOVEMBER
OCTOBER = "start=2026-10-01T00:00:00Z&end=2026-11-01T00:00:00Z"
TENTH = datetime(2026, 10, 10, 12, tzinfo=UTC)


def use(subject, type="llm.call", **values):
    event = events.event(EventKey.objects.count(), TENTH, {"n": 4, **values}, subject=subject, type=type)
    events.store([event])


@pytest.fixture
def november(db):
    """It is November; three subjects have usage of October, and one of them has a payer."""
    catalog.seller()
    meters.meter("units", "SUM", value="n", dimensions={"model": "model"})
    price = {"model": "per_unit", "unit_amount": "2.5"}
    plan = catalog.plan({"code": "units", "meter": "units", "price": price, "where": {"model": ["small"]}})
    catalog.subscription(catalog.customer("acme"), plan)
    for subject in ("acme", "stray", "waif"):
        use(subject, model="small")
    rolling.roll_up(limit=10, at=NOW)


class TestUsage:
    def test_lists_subjects_without_a_payer(self, ask, november):
        found = ask("GET", f"/unbilled/usage?{OCTOBER}").json()
        assert found == {
            "usage": [
                {
                    "subject": subject,
                    "meter": "units",
                    "reason": "NO_PAYER",
                    "count": 1,
                    "first_at": "2026-10-10T12:00:00Z",
                    "last_at": "2026-10-10T12:15:00Z",
                }
                for subject in ("stray", "waif")
            ],
            "next": None,
        }

    def test_comes_in_pages(self, ask, november):
        first = ask("GET", f"/unbilled/usage?{OCTOBER}&limit=1").json()
        assert [row["subject"] for row in first["usage"]] == ["stray"]
        second = ask("GET", f"/unbilled/usage?{OCTOBER}&limit=1&cursor={first['next']}").json()
        assert ([row["subject"] for row in second["usage"]], second["next"]) == (["waif"], None)

    def test_looks_only_at_the_time_that_is_asked_for(self, ask, november):
        assert (
            ask("GET", "/unbilled/usage?start=2026-10-11T00:00:00Z&end=2026-11-01T00:00:00Z").json()["usage"]
            == []
        )

    @pytest.mark.parametrize(
        "query",
        [
            "cursor=x",
            "cursor=WyJhIl0=",
            "reason=LAZY",
            "limit=0",
            "start=2026-10-02T00:00:00Z&end=2026-10-01T00:00:00Z",
            "start=2024-10-02T00:00:00Z&end=2026-10-01T00:00:00Z",
        ],
    )
    def test_refuses_a_question_that_makes_no_sense(self, ask, november, query):
        assert ask("GET", f"/unbilled/usage?{query}").status_code == 400

    def test_needs_the_scope_to_read(self, ask, november):
        assert ask("GET", "/unbilled/usage", scopes=("ingest",)).status_code == 403


class TestEvents:
    def test_lists_types_that_no_meter_counts(self, ask, november):
        use("acme", type="image.made")
        [row] = ask("GET", f"/unbilled/events?{OCTOBER}").json()["events"]
        assert (row["type"], row["meter"], row["count"]) == ("image.made", "", 1)

    def test_lists_events_that_their_meter_cannot_use_in_pages(self, ask, november):
        use("acme", n="many")
        use("acme", n=None)
        rolling.roll_up(limit=10, at=NOW)
        first = ask("GET", f"/unbilled/events?{OCTOBER}&kind=UNUSABLE&limit=1").json()
        second = ask("GET", f"/unbilled/events?{OCTOBER}&kind=UNUSABLE&limit=1&cursor={first['next']}").json()
        rows = first["events"] + second["events"]
        assert [(row["meter"], row["count"]) for row in rows] == [("units", 1), ("units", 1)]
        assert rows[0]["reason"] != rows[1]["reason"]
        assert second["next"] is None


class TestObstacles:
    def test_lists_drafts_that_cannot_be_finalized(self, ask, november):
        use("acme", model="big")
        running.run(as_of=NOW, at=NOW)
        [row] = ask("GET", "/unbilled/obstacles").json()["obstacles"]
        assert row["customer"] == "acme"
        assert "model=big" in row["reason"]
        assert ask("GET", "/unbilled/obstacles?kind=INVOICED").json() == {"obstacles": [], "next": None}
