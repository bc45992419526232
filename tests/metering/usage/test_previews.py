"""What a meter takes from the latest events, and why not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from metering.models import EventKey, patience
from metering.usage import events as stored
from metering.usage import previews
from tests.world import events, meters

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 10, 5, 10, tzinfo=UTC)


def store(*payloads, type="llm.call"):
    """Events a minute apart, the last the latest."""
    first = EventKey.objects.count()
    events.store(
        [
            events.event(n, TEN + timedelta(minutes=n), values, type=type)
            for n, values in enumerate(payloads, start=first)
        ]
    )


def taken(version):
    preview = previews.latest(version)
    return [(row.event.event_id, row.quantity, dict(row.dimensions), row.reason) for row in preview.rows]


class TestLatest:
    def test_shows_what_is_taken_newest_first(self):
        version = meters.meter("tokens", "SUM", value="n", dimensions={"model": "model"})
        store({"n": Decimal("0.100000000000000001"), "model": "通义"}, {"n": "7"})
        assert taken(version) == [
            ("e1", "7", {"model": ""}, ""),
            ("e0", "0.100000000000000001", {"model": "通义"}, ""),
        ]

    def test_says_why_an_event_is_not_counted(self):
        version = meters.meter("tokens", "SUM", value="n")
        store({"n": "many"}, {})
        assert taken(version) == [("e1", None, {}, "n is missing"), ("e0", None, {}, "n is no number")]

    def test_tells_an_absent_value_from_a_wrong_one(self):
        version = meters.meter("tokens", "SUM", value="n", optional=True)
        store({})
        assert taken(version) == [("e0", None, {}, "the value is absent, and the meter allows it")]

    def test_divides_intervals_by_the_unit(self):
        version = meters.meter("hours", "DURATION", value="gpus", minimum="3600")
        store(
            {"gpus": 2, "start": "2026-10-05T10:00:00Z", "end": "2026-10-05T11:30:00Z"},
            {"gpus": 2, "start": "2026-10-05T10:00:00Z", "end": "2026-10-05T10:20:00Z"},
        )
        assert [row[1] for row in taken(version)] == ["2", "3"]

    def test_leaves_out_what_does_not_match(self):
        version = meters.meter("errors", where={"state": ["failed"]})
        store({"state": "failed"}, {"state": "ok"})
        store({"state": "failed"}, type="other")
        preview = previews.latest(version)
        assert ([row.event.event_id for row in preview.rows], preview.searched) == (["e0"], 2)

    def test_is_bounded(self, monkeypatch):
        monkeypatch.setattr(previews, "SHOWN_MAX", 2)
        monkeypatch.setattr(previews, "SEARCHED_MAX", 3)
        version = meters.meter("calls", where={"state": ["ok"]})
        store({"state": "ok"}, {"state": "ok"}, {"state": "ok"}, {"state": "no"})
        assert [row[0] for row in taken(version)] == ["e2", "e1"]
        assert previews.latest(version).searched == 3

    def test_says_that_it_took_too_long(self, monkeypatch):
        def slow(**question):
            raise patience.TooSlow

        monkeypatch.setattr(stored, "page", slow)
        preview = previews.latest(meters.meter("calls"))
        assert (preview.rows, preview.is_too_slow) == ((), True)
