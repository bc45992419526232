"""Who has usage, when there was any, and which meters count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from metering import rolling, usage
from metering.models import Meter
from metering.periods import Period
from tests.world import events, meters

pytestmark = pytest.mark.django_db

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
AT = datetime(2026, 11, 1, tzinfo=UTC)


class TestSubjects:
    def test_are_those_with_usage_in_the_period(self):
        calls, hours = meters.meter("calls"), meters.meter("hours", "DURATION", "gpu.usage")
        interval = {"start": "2026-10-05T10:00:00", "end": "2026-10-07T10:00:00"}
        events.store(
            [
                events.event(1, T, {}, subject="b"),
                events.event(2, T - timedelta(days=1), {}, subject="earlier"),
                events.event(3, T, interval, subject="a", type="gpu.usage"),
                events.event(4, T, {}, subject="other", type="other"),
            ]
        )
        rolling.roll_up(limit=1, at=AT)
        events.store([events.event(5, T, {}, subject="pending"), events.event(6, AT, {}, subject="later")])
        day = Period(T, T + timedelta(days=1))
        assert usage.subjects(versions=[calls, hours], period=day) == ["a", "b", "pending"]
        assert usage.subjects(versions=[hours], period=Period(day.end, day.end + timedelta(days=1))) == ["a"]

    def test_are_also_those_whose_interval_waits_and_has_its_events_time_elsewhere(self):
        hours = meters.meter("hours", "DURATION", "gpu.usage")
        interval = {"start": "2026-10-05T10:00:00", "end": "2026-10-07T10:00:00"}
        late = events.event(1, T + timedelta(days=20), interval, subject="late", type="gpu.usage")
        events.store([late])
        inside = Period(T + timedelta(days=1), T + timedelta(days=2))
        assert usage.subjects(versions=[hours], period=inside) == ["late"]
        assert usage.subjects(versions=[hours], period=Period(T - timedelta(days=1), T)) == []

    def test_are_also_those_whose_events_a_new_meter_has_not_counted_yet(self):
        meters.meter("old")
        events.store([events.event(1, T, {}, subject="a")])
        rolling.roll_up(limit=1, at=AT)
        new = meters.meter("new")
        assert usage.subjects(versions=[new], period=Period(T, AT)) == ["a"]

    def test_are_none_without_meters_or_time(self):
        calls = meters.meter("calls")
        assert usage.subjects(versions=[], period=Period(T, AT)) == []
        assert usage.subjects(versions=[calls], period=Period(T, T)) == []


class TestLastMonthWithUsage:
    def test_is_the_latest_in_which_anything_was_counted(self):
        assert usage.last_month_with_usage() is None
        meters.meter("calls")
        september = datetime(2026, 9, 30, 23, 59, tzinfo=UTC)
        events.store(
            [events.event(1, T, {}), events.event(2, september, {}), events.event(3, AT, {}, type="other")]
        )
        rolling.roll_up(limit=1, at=AT)
        assert usage.last_month_with_usage() == date(2026, 10, 1)


class TestVersions:
    def test_are_those_in_force_by_slug(self):
        calls, later = meters.meter("calls"), meters.meter("later", effective_at="2026-10-05T10:00:00Z")
        meters.meter("archived")
        Meter.objects.filter(slug="archived").update(archived_at=T)
        assert usage.versions(at=T) == {"calls": calls, "later": later}
        assert set(usage.versions(at=T - timedelta(microseconds=1))) == {"calls", "archived"}
        assert usage.versions(at=T, slugs=["calls", "archived", "unknown"]) == {"calls": calls}

    def test_have_the_definition_of_their_document(self):
        version = meters.meter("tokens", "SUM", value="usage.tokens", dimensions={"model": "model"})
        definition = usage.definition(version)
        assert (definition.aggregation, definition.value.plus) == ("SUM", ("usage.tokens",))
