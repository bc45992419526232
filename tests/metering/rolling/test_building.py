"""A new meter counts the events that were stored before it, also while roll-ups run."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from metering import rolling, usage
from metering.models import EventBatch, MeterVersion, epoch
from metering.periods import Period
from tests.world import buckets, events, meters

pytestmark = pytest.mark.django_db(transaction=True)

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
AT = datetime(2026, 11, 1, tzinfo=UTC)
SPANS = [("acme", Period(T - timedelta(days=1), T + timedelta(days=1)))]


def quantity(version) -> int:
    return sum(row.quantity for row in usage.quantities(meter=version, spans=SPANS).rows)


def store(count: int, first: int = 0) -> None:
    events.store_in_batches(
        [events.event(n, T + timedelta(minutes=n), {}) for n in range(first, first + count)], 2
    )


class TestBuild:
    def test_counts_what_was_rolled_up_before_the_meter(self):
        old = meters.meter("old")
        store(6)
        rolling.roll_up(limit=10, at=AT)
        new = meters.meter("new", dimensions={"model": "model"})
        store(4, first=6)
        assert quantity(new) == 10
        assert rolling.build(limit=2, at=AT) == 2
        assert quantity(new) == 10
        assert rolling.build(limit=2, at=AT) == 1
        assert rolling.build(limit=2, at=AT) == 0
        rolling.roll_up(limit=10, at=AT)
        new.refresh_from_db()
        assert new.is_built
        assert quantity(new) == quantity(old) == 10
        for version in (old, new):
            assert rolling.differences(version=version).is_equal
            assert sum(count for _, count in buckets.stored(version).values()) == 10

    def test_brings_batches_of_several_ages_up_to_the_newest_meter(self):
        versions = []
        for age in range(3):
            store(2, first=2 * age)
            rolling.roll_up(limit=10, at=AT)
            versions.append(meters.meter(f"m{age}"))
        while rolling.build(limit=10, at=AT):
            pass
        for version in versions:
            assert sum(count for _, count in buckets.stored(version).values()) == 6

    def test_marks_a_meter_as_built_only_when_no_batch_lacks_it(self):
        store(4)
        rolling.roll_up(limit=10, at=AT)
        version = meters.meter("m")
        rolling.build(limit=1, at=AT)
        version.refresh_from_db()
        assert not version.is_built

    def test_keeps_the_time_at_which_the_batch_was_rolled_up_first(self):
        store(2)
        rolling.roll_up(limit=10, at=AT)
        meters.meter("m")
        rolling.build(limit=10, at=AT + timedelta(days=1))
        assert EventBatch.objects.get().rolled_at == AT


class TestMeterMadeWhileARollUpRuns:
    def test_waits_for_it_and_then_counts_its_events(self):
        meters.meter("old")
        store(2)
        has_claimed, may_go_on = threading.Event(), threading.Event()
        made: list = []

        def roll() -> None:
            def wrapper(execute, sql, params, many, context):
                answer = execute(sql, params, many, context)
                if "skip locked" in sql:
                    has_claimed.set()
                    assert may_go_on.wait(60)
                return answer

            with connection.execute_wrapper(wrapper):
                rolling.roll_up(limit=10, at=AT)
            connection.close()

        def make() -> None:
            made.append(meters.meter("new"))
            connection.close()

        roller, maker = threading.Thread(target=roll), threading.Thread(target=make)
        roller.start()
        assert has_claimed.wait(60)
        maker.start()
        _wait_until_somebody_waits_for("metering_meterepoch")
        assert made == []
        may_go_on.set()
        roller.join(60)
        maker.join(60)
        (new,) = made
        assert EventBatch.objects.get().rolled_epoch < new.epoch
        assert quantity(new) == 2
        assert buckets.stored(new) == {}
        assert rolling.build(limit=10, at=AT) == 1
        assert sum(count for _, count in buckets.stored(new).values()) == 2

    def test_gives_up_where_roll_ups_never_pause(self):
        is_held, may_go_on = threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                epoch.hold()
                is_held.set()
                assert may_go_on.wait(60)
            connection.close()

        holder = threading.Thread(target=hold)
        holder.start()
        assert is_held.wait(60)
        with connection.cursor() as cursor:
            cursor.execute("set lock_timeout = '50ms'")
            try:
                with pytest.raises(epoch.RollUpsBusy):
                    meters.meter("new")
            finally:
                cursor.execute("reset lock_timeout")
                may_go_on.set()
                holder.join(60)
        assert not MeterVersion.objects.exists()
        assert meters.meter("new").epoch == 1

    def test_counts_every_event_once_whatever_the_order(self):
        meters.meter("m0")
        store(120)
        versions: list = []

        def work(number: int) -> None:
            try:
                if number == 0:
                    versions.extend(meters.meter(f"new{n}") for n in range(5))
                else:
                    while rolling.roll_up(limit=1, at=AT) or rolling.build(limit=1, at=AT):
                        pass
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert len(versions) == 5
        while rolling.roll_up(limit=10, at=AT) or rolling.build(limit=10, at=AT):
            pass
        for version in versions:
            assert sum(count for _, count in buckets.stored(version).values()) == 120


def _wait_until_somebody_waits_for(table: str) -> None:
    ends_at = datetime.now(UTC) + timedelta(seconds=60)
    with connection.cursor() as cursor:
        while datetime.now(UTC) < ends_at:
            cursor.execute(
                "select exists(select from pg_locks where relation = %s::regclass and not granted)", [table]
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError(f"nobody waits for {table}")
