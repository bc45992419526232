"""MAX, MIN, AVERAGE, LATEST and UNIQUE: one measure over all events, never the sum of smaller ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metering import rolling, usage
from metering.measures import Event
from metering.models import UsageValue
from metering.periods import Period
from metering.usage import Windows
from tests.world import events, meters

pytestmark = pytest.mark.django_db

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
AT = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
SEPTEMBER = Period(datetime(2026, 9, 1, tzinfo=UTC), OCTOBER.start)


def gauge(n: int, at: datetime, value, *, subject: str = "acme", **data) -> Event:
    return events.event(n, at, {"v": value, **data}, subject=subject)


def stored(*each: Event) -> None:
    events.store(each)
    rolling.roll_up(limit=10, at=AT)


def quantities(version, *spans, **more) -> list[tuple]:
    rows = usage.quantities(meter=version, spans=spans or [("acme", OCTOBER)], **more).rows
    return [(*row.dimensions.values(), row.quantity, row.count) for row in rows]


class TestMeasuresThatDoNotAddUp:
    def test_are_taken_over_all_subjects_and_spans_together(self):
        peak = meters.meter("peak", "MAX", value="v")
        stored(
            gauge(1, T, 100),
            gauge(2, T, 80, subject="globex"),
            gauge(3, T + 2 * HOUR, 60, subject="initech"),
        )
        spans = [(name, OCTOBER) for name in ("acme", "globex", "initech")]
        assert quantities(peak, *spans) == [(100, 3)]
        assert quantities(peak, *spans, by=["subject"]) == [
            ("acme", 100, 1),
            ("globex", 80, 1),
            ("initech", 60, 1),
        ]

    def test_are_taken_over_buckets_pending_events_and_edges_together(self):
        average = meters.meter("average", "AVERAGE", value="v")
        stored(gauge(1, T, 1), gauge(2, T + HOUR, 2), gauge(9, T + 2 * HOUR, 1000))
        events.store([gauge(3, T, "2")])
        cut = Period(T, T + HOUR + timedelta(minutes=1))
        assert quantities(average, ("acme", cut)) == [(Fraction(5, 3), 3)]

    def test_have_no_row_without_an_event(self):
        for aggregation in ("MAX", "MIN", "AVERAGE", "LATEST", "UNIQUE"):
            assert quantities(meters.meter(aggregation.lower(), aggregation, value="v")) == []

    def test_of_windows_are_those_of_each_window(self):
        low = meters.meter("low", "MIN", value="v")
        stored(gauge(1, T, 5), gauge(2, T + timedelta(minutes=20), -1), gauge(3, T + HOUR, 7))
        rows = usage.quantities(meter=low, spans=[("acme", OCTOBER)], windows=Windows("HOUR")).rows
        assert [(row.window.start, row.quantity) for row in rows] == [(T, -1), (T + HOUR, 7)]


class TestLatest:
    def test_of_one_instant_goes_by_source_and_id_bytewise_whatever_came_first(self):
        last = meters.meter("last", "LATEST", value="v")

        def sent(source: str, name: str, value: int) -> Event:
            return Event(id=name, source=source, type="llm.call", subject="acme", time=T, data={"v": value})

        stored(sent("b", "Z", 1), sent("b", "a", 2), sent("b", "B", 3), sent("B", "z", 4))
        stored(sent("a", "z", 5))
        assert quantities(last) == [(2, 5)]

    def test_is_not_changed_by_a_late_event_before_it(self):
        last = meters.meter("last", "LATEST", value="v")
        stored(gauge(1, T, 7))
        stored(gauge(2, T - timedelta(minutes=1), 5), gauge(3, T - timedelta(days=3), 3))
        assert quantities(last) == [(7, 3)]


class TestUnique:
    def test_counts_a_text_once_in_many_buckets_and_keeps_it_once_a_bucket(self):
        users = meters.meter("users", "UNIQUE", value="v")
        stored(gauge(1, T, "a"), gauge(2, T, "a"), gauge(3, T, 8), gauge(4, T + HOUR, "8.0"))
        stored(gauge(5, T + HOUR, "8"), gauge(6, T + 2 * HOUR, "a"))
        assert quantities(users) == [(3, 6)]
        assert sorted(UsageValue.objects.values_list("count", flat=True)) == [1, 1, 1, 1, 2]


class TestCarriedUsage:
    def test_is_the_last_value_before_the_period_where_none_is_inside(self):
        last = meters.meter("last", "LATEST", value="v", carry_over=True, dimensions={"node": "node"})
        before = SEPTEMBER.start
        stored(
            gauge(1, before, 8, node="a"),
            gauge(2, before + HOUR, 5, node="a"),
            gauge(3, before, 3, node="b"),
            gauge(4, T, 4, node="b"),
        )
        assert quantities(last, by=["node"], billing_period=OCTOBER) == [("a", 5, 0), ("b", 4, 1)]
        assert quantities(last, by=["node"]) == [("b", 4, 1)]

    def test_of_a_maximum_is_the_last_value_not_the_largest(self):
        peak = meters.meter("peak", "MAX", value="v", carry_over=True)
        stored(gauge(1, SEPTEMBER.start, 100), gauge(2, SEPTEMBER.start + HOUR, 6), gauge(3, T, 4))
        assert quantities(peak, billing_period=OCTOBER) == [(6, 1)]
        assert quantities(peak) == [(4, 1)]

    def test_of_unique_values_begins_at_the_start_of_the_subscription(self):
        users = meters.meter("users", "UNIQUE", value="v", carry_over=True)
        stored(gauge(1, SEPTEMBER.start, "a"), gauge(2, SEPTEMBER.start + HOUR, "b"), gauge(3, T, "b"))
        assert quantities(users, billing_period=OCTOBER) == [(2, 1)]
        since = SEPTEMBER.start + timedelta(minutes=7)
        assert quantities(users, billing_period=OCTOBER, carried_from=since) == [(1, 1)]

    def test_is_left_out_for_a_subject_that_is_paid_for_later(self):
        last = meters.meter("last", "LATEST", value="v", carry_over=True)
        stored(gauge(1, SEPTEMBER.start, 8))
        later = Period(OCTOBER.start + HOUR, OCTOBER.end)
        assert quantities(last, ("acme", later), billing_period=OCTOBER) == []

    def test_comes_with_the_revisions_of_the_months_before(self):
        last = meters.meter("last", "LATEST", value="v", carry_over=True)
        stored(gauge(1, SEPTEMBER.start, 8))
        asked = {"meter": last, "spans": [("acme", OCTOBER)]}
        assert usage.quantities(**asked, billing_period=OCTOBER).revisions == {"acme|2026-09": 1}
        assert usage.quantities(**asked).revisions == {}

    def test_is_read_in_the_one_statement(self):
        peak = meters.meter("peak", "MAX", value="v", carry_over=True)
        stored(gauge(1, SEPTEMBER.start, 100))
        with CaptureQueriesContext(connection) as queries:
            quantities(peak, billing_period=OCTOBER)
        assert len(queries) == 1
