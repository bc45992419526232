"""Buckets that were tampered with are found, and written anew from the events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from metering import rolling
from metering.models import UsageBucket, UsageInterval, UsageRevision, UsageSeries, UsageValue
from metering.rolling import Difference
from tests.world import buckets, events, meters

pytestmark = pytest.mark.django_db(transaction=True)

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def tokens():
    version = meters.meter("tokens", "SUM", value="n", dimensions={"model": "model"})
    events.store([events.event(n, T + timedelta(minutes=15 * n), {"n": n, "model": "a"}) for n in range(3)])
    rolling.roll_up(limit=1, at=AT)
    return version


@pytest.fixture
def seconds():
    version = meters.meter("seconds", "DURATION", per="SECOND")
    events.store([events.event(100, T, {"start": "2026-10-05T10:00:00", "end": "2026-10-05T10:20:00"})])
    rolling.roll_up(limit=1, at=AT)
    return version


def rebuild(*arguments: str) -> str:
    out = StringIO()
    call_command("rebuild_rollups", *arguments, stdout=out)
    return out.getvalue()


class TestDifferences:
    def test_are_none_after_a_roll_up(self, tokens, seconds):
        assert rolling.differences(version=tokens) == rolling.Comparison(0, 0, 0, ())
        assert rolling.differences(version=seconds) == rolling.Comparison(0, 0, 0, ())

    def test_leave_out_what_is_pending(self, tokens):
        events.store([events.event(50, T, {"n": 5, "model": "a"})])
        assert rolling.differences(version=tokens).is_equal

    def test_name_the_bucket_and_both_quantities(self, tokens):
        UsageBucket.objects.filter(start=T + timedelta(minutes=15)).update(quantity=Decimal("7.5"), count=2)
        assert rolling.differences(version=tokens) == rolling.Comparison(
            1,
            0,
            0,
            (
                Difference(
                    "acme", {"model": "a"}, T + timedelta(minutes=15), (Decimal("7.5"), 2), (Decimal(1), 1)
                ),
            ),
        )

    def test_find_a_bucket_that_is_gone_and_one_too_many(self, tokens):
        UsageBucket.objects.filter(start=T).delete()
        series = UsageSeries.objects.get()
        UsageBucket.objects.create(series=series, start=T - timedelta(days=40), quantity=Decimal(1), count=1)
        found = rolling.differences(version=tokens).shown
        assert [(each.start, each.stored, each.counted) for each in found] == [
            (T - timedelta(days=40), (Decimal(1), 1), None),
            (T, None, (Decimal(0), 1)),
        ]

    def test_find_a_changed_interval(self, seconds):
        UsageInterval.objects.update(weight=Decimal(2))
        found = rolling.differences(version=seconds)
        assert (found.buckets, found.intervals) == (0, 2)

    def test_change_nothing(self, tokens):
        UsageBucket.objects.filter(start=T).update(quantity=Decimal(9))
        before = buckets.stored(tokens)
        rolling.differences(version=tokens)
        assert buckets.stored(tokens) == before


class TestRebuild:
    def test_writes_what_the_events_add_up_to_and_raises_the_revisions_of_what_changed(self, tokens, seconds):
        before = buckets.stored(tokens), buckets.stored(seconds), buckets.intervals(seconds)
        UsageBucket.objects.filter(start=T).update(quantity=Decimal(9))
        UsageInterval.objects.update(excess=Decimal(9))
        for version in (tokens, seconds):
            assert not rolling.rebuild(version=version).is_equal
            assert rolling.differences(version=version).is_equal
        assert (buckets.stored(tokens), buckets.stored(seconds), buckets.intervals(seconds)) == before
        assert UsageRevision.objects.get(meter_version=tokens).revision == 2

    def test_raises_the_revision_of_a_month_that_has_no_usage_any_more(self, tokens):
        UsageBucket.objects.create(
            series=UsageSeries.objects.get(), start=T - timedelta(days=40), quantity=Decimal(1), count=1
        )
        rolling.rebuild(version=tokens)
        months = UsageRevision.objects.order_by("month").values_list("month", "revision")
        assert [(f"{month:%Y-%m}", revision) for month, revision in months] == [
            ("2026-08", 1),
            ("2026-10", 1),
        ]

    def test_writes_the_last_events_and_the_values_anew(self):
        last, models = meters.meter("last", "LATEST", value="n"), meters.meter("u", "UNIQUE", value="n")
        events.store([events.event(n, T, {"n": n}) for n in range(3)])
        rolling.roll_up(limit=1, at=AT)
        with connection.cursor() as cursor:
            cursor.execute("update metering_usagebucket set latest.event_id = 'e0' where latest is not null")
        UsageValue.objects.filter(count=1).first().delete()
        assert [rolling.rebuild(version=version) for version in (last, models)] == [
            rolling.Comparison(1, 0, 0, (Difference("acme", {}, T, (Decimal(2), 3), (Decimal(2), 3)),)),
            rolling.Comparison(0, 0, 1, ()),
        ]
        assert all(rolling.differences(version=version).is_equal for version in (last, models))

    def test_raises_the_revisions_of_all_months_that_a_changed_interval_touches(self, seconds):
        UsageRevision.objects.all().delete()
        start, end = datetime(2026, 8, 31, 23, tzinfo=UTC), datetime(2026, 10, 1, 0, 0, 1, tzinfo=UTC)
        span = {"start": start.isoformat(), "end": end.isoformat()}
        events.store([events.event(60, T, span)])
        rolling.roll_up(limit=1, at=AT)
        UsageInterval.objects.filter(end=end).update(weight=Decimal(2))
        assert rolling.rebuild(version=seconds).buckets == 0
        months = UsageRevision.objects.order_by("month").values_list("month", "revision")
        assert [(f"{month:%Y-%m}", revision) for month, revision in months] == [
            ("2026-08", 2),
            ("2026-09", 2),
            ("2026-10", 2),
        ]

    def test_raises_the_revision_where_only_a_value_differs(self):
        models = meters.meter("u", "UNIQUE", value="n")
        events.store([events.event(n, T, {"n": n}) for n in range(3)])
        rolling.roll_up(limit=1, at=AT)
        UsageValue.objects.filter(count=1).first().delete()
        assert rolling.rebuild(version=models).buckets == 0
        assert UsageRevision.objects.get(meter_version=models).revision == 2

    def test_goes_on_with_later_batches(self, tokens):
        UsageBucket.objects.all().delete()
        rolling.rebuild(version=tokens)
        events.store([events.event(50, T, {"n": 5, "model": "a"})])
        rolling.roll_up(limit=1, at=AT)
        assert rolling.differences(version=tokens).is_equal
        assert UsageBucket.objects.get(start=T).quantity == 5


class TestCommand:
    def test_says_that_all_is_equal(self, tokens, seconds):
        assert rebuild() == "seconds v1: equal to its events\ntokens v1: equal to its events\n"

    def test_with_check_reports_and_changes_nothing(self, tokens):
        UsageBucket.objects.filter(start=T).update(quantity=Decimal(9))
        out = StringIO()
        with pytest.raises(CommandError, match="1 meters differ from their events") as refused:
            call_command("rebuild_rollups", "--check", stdout=out)
        assert refused.value.returncode == 1
        assert out.getvalue().splitlines() == [
            "tokens v1: 1 buckets, 0 intervals and 0 values differ",
            "  2026-10-05T10:00:00Z acme model=a: stored 9 of 1 events, counted 0 of 1 events",
        ]
        assert UsageBucket.objects.get(start=T).quantity == 9

    def test_without_check_writes_anew(self, tokens):
        UsageBucket.objects.filter(start=T).update(quantity=Decimal(9))
        assert "1 buckets, 0 intervals and 0 values differed and were written anew" in rebuild("tokens")
        assert rebuild("tokens", "--check") == "tokens v1: equal to its events\n"

    def test_refuses_an_unknown_meter(self):
        with pytest.raises(CommandError, match="there is no meter nothing") as refused:
            rebuild("nothing")
        assert refused.value.returncode == 2
