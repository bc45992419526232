"""A batch that cannot be rolled up loses the events that make it fail, and nothing else."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from metering import rolling, usage
from metering.models import EventBatch, MeterVersion, UncountedEvent
from metering.periods import Period
from metering.rolling import merging
from tests.world import buckets, events, meters

pytestmark = pytest.mark.django_db(transaction=True)

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
AT = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))

# Longer than an index of the database takes, and not to be compressed.
POISON = secrets.token_hex(5_000)


def by_subject(version: MeterVersion, *subjects: str) -> dict:
    rows = usage.quantities(
        meter=version, spans=[(subject, OCTOBER) for subject in subjects], by=["subject"]
    ).rows
    return {row.dimensions["subject"]: row.quantity for row in rows}


class TestRollUpOfABatchThatFailsAgainAndAgain:
    def rolled_up(self, stored) -> EventBatch:
        batch = events.store(stored)
        for _ in range(rolling.ATTEMPTS_MAX + 1):
            rolling.roll_up(limit=10, at=AT)
        batch.refresh_from_db()
        return batch

    def test_sets_the_events_aside_that_make_it_fail_and_counts_the_rest(self):
        versions = [
            meters.meter("calls", dimensions={"model": "model"}),
            meters.meter("tokens", "SUM", value="tokens"),
            meters.meter("seconds", "DURATION", per="SECOND"),
            meters.meter("others", event_type="other"),
        ]
        good = [
            events.event(
                n,
                T + timedelta(minutes=7 * n),
                {"tokens": n, "start": "2026-10-05T10:00:00", "end": f"2026-10-05T10:{n:02}:30"},
                subject=["acme", "globex"][n % 2],
            )
            for n in range(9)
        ]
        poisonous = [events.event(n, T, {"tokens": 1}, subject=POISON) for n in (100, 101)]
        batch = self.rolled_up([good[0], poisonous[0], *good[1:6], poisonous[1], *good[6:]])
        assert not batch.is_pending
        for version in versions:
            assert buckets.stored(version) == buckets.expected(version, good)
            assert rolling.differences(version=version).is_equal
        aside = UncountedEvent.objects.filter(is_set_aside=True)
        assert set(aside.values_list("meter_version__meter__slug", "key")) == {
            (slug, events.key_of(each)) for slug in ("calls", "tokens") for each in poisonous
        }
        assert all(each.reason.startswith("unmeterable: ") for each in aside)
        assert by_subject(versions[0], POISON, "acme", "globex") == {"acme": 5, "globex": 4}

    def test_lists_an_event_that_a_meter_cannot_use_with_the_reason_as_ever(self):
        meters.meter("tokens", "SUM", value="tokens")
        bad = events.event(7, T, {"tokens": "x"})
        self.rolled_up([bad, events.event(8, T, {"tokens": 1}, subject=POISON)])
        listed = dict(UncountedEvent.objects.filter(is_set_aside=False).values_list("key", "reason"))
        assert listed == {events.key_of(bad): "tokens is no number"}

    def test_leaves_the_event_out_of_an_edge_too(self):
        calls = meters.meter("calls")
        self.rolled_up([events.event(1, T, {}), events.event(2, T, {}, subject=POISON)])
        cut = Period(T - timedelta(minutes=1), T + timedelta(minutes=1))
        rows = usage.quantities(meter=calls, spans=[("acme", cut), (POISON, cut)]).rows
        assert [row.quantity for row in rows] == [1]

    def test_counts_it_for_a_later_meter_without_it(self):
        meters.meter("calls")
        self.rolled_up([events.event(1, T, {}), events.event(2, T, {}, subject=POISON)])
        later = meters.meter("later")
        for _ in range(rolling.ATTEMPTS_MAX + 2):
            rolling.build(limit=10, at=AT)
        later.refresh_from_db()
        assert later.is_built
        assert by_subject(later, POISON, "acme") == {"acme": 1}


class TestRollUpOfManySeries:
    def test_tells_once_of_a_meter_with_too_many_and_counts_them(self, monkeypatch):
        monkeypatch.setattr(merging, "SERIES_MAX", 2)
        calls, few = meters.meter("calls", dimensions={"model": "model"}), meters.meter("few")
        stored = [events.event(n, T, {"model": f"m{n}"}) for n in range(3)]
        events.store(stored)
        with capture_logs() as logged:
            rolling.roll_up(limit=10, at=AT)
        errors = [each for each in logged if each["log_level"] == "error"]
        assert [(each["meter"], each["series"]) for each in errors] == [("calls v1", 3)]
        assert [len(buckets.stored(each)) for each in (calls, few)] == [3, 1]
