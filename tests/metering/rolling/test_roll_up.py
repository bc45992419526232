"""Batches become buckets: once, whatever order they come in, whoever else is at it, whatever breaks."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering import rolling, usage
from metering.models import EventBatch, UncountedEvent, UsageRevision, UsageSeries
from metering.periods import Period
from tests.world import buckets, events, meters

pytestmark = pytest.mark.django_db(transaction=True)

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
AT = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def three_meters():
    return [
        meters.meter("calls", dimensions={"model": "model"}),
        meters.meter("tokens", "SUM", value="tokens", optional=True, dimensions={"model": "model"}),
        meters.meter("seconds", "DURATION", value={"times": ["gpus"]}, per="SECOND", minimum="10"),
    ]


def meters_that_do_not_add_up():
    return [
        meters.meter("models", "UNIQUE", value="model"),
        meters.meter("last", "LATEST", value="tokens", optional=True),
        meters.meter("peak", "MAX", value="tokens", optional=True, carry_over=True),
    ]


def history(size: int, first: int = 0) -> list:
    """Events that share series and buckets, reach over several of them, and a few that cannot be used."""
    return [
        events.event(
            n,
            T + timedelta(minutes=7 * (n % 11)),
            {
                "model": f"m{n % 3}",
                "tokens": [n, None, "x", "1.5"][n % 4],
                "start": f"2026-10-05T10:{n % 60:02}:00",
                "end": f"2026-10-05T11:{n % 60:02}:30" if n % 5 else "never",
                "gpus": n % 3,
            },
            subject=["acme", "globex"][n % 2],
        )
        for n in range(first, first + size)
    ]


def roll_up_all(limit: int = 100) -> None:
    while rolling.roll_up(limit=limit, at=AT):
        pass


def in_threads(count: int, work: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []


def assert_counted(versions, stored) -> None:
    for version in versions:
        assert buckets.stored(version) == buckets.expected(version, stored)
        assert rolling.differences(version=version).is_equal


class TestRollUp:
    def test_adds_events_to_the_quarter_hours_of_their_series(self):
        tokens = meters.meter("tokens", "SUM", value="tokens", dimensions={"model": "model"})
        events.store(
            [
                events.event(1, T, {"tokens": 10, "model": "a"}),
                events.event(2, T + timedelta(minutes=14, seconds=59), {"tokens": "2.5", "model": "a"}),
                events.event(3, T + timedelta(minutes=15), {"tokens": 4, "model": "a"}),
                events.event(4, T, {"tokens": 1, "model": "b"}),
            ]
        )
        assert rolling.roll_up(limit=10, at=AT) == 1
        a, b = frozenset({("model", "a")}), frozenset({("model", "b")})
        assert buckets.stored(tokens) == {
            ("acme", a, T): (12.5, 2),
            ("acme", a, T + timedelta(minutes=15)): (4, 1),
            ("acme", b, T): (1, 1),
        }

    def test_marks_the_batch_with_the_epoch_and_the_time(self):
        meters.meter("calls")
        batch = events.store(history(3))
        rolling.roll_up(limit=10, at=AT)
        batch.refresh_from_db()
        assert (batch.rolled_epoch, batch.rolled_at) == (1, AT)

    def test_takes_a_batch_once(self):
        versions = three_meters()
        events.store(history(8))
        assert rolling.roll_up(limit=10, at=AT) == 1
        assert rolling.roll_up(limit=10, at=AT) == 0
        assert_counted(versions, history(8))

    def test_takes_at_most_the_limit_and_the_oldest_first(self):
        meters.meter("calls")
        stored = events.store_in_batches(history(5), 1)
        assert rolling.roll_up(limit=2, at=AT) == 2
        pending = EventBatch.objects.filter(rolled_epoch__isnull=True)
        assert set(pending) == set(stored[2:])

    def test_takes_a_batch_without_events_and_without_meters(self):
        events.store([])
        events.store(history(3))
        assert rolling.roll_up(limit=10, at=AT) == 2
        assert UsageSeries.objects.count() == 0

    def test_adds_late_events_to_past_buckets_and_raises_the_revision_of_their_month(self):
        calls = meters.meter("calls")
        events.store([events.event(1, T, {})])
        rolling.roll_up(limit=1, at=AT)
        events.store([events.event(2, T - timedelta(days=5), {}), events.event(3, T, {})])
        rolling.roll_up(limit=1, at=AT)
        assert {start: count for (_, _, start), (_, count) in buckets.stored(calls).items()} == {
            T: 2,
            T - timedelta(days=5): 1,
        }
        revisions = UsageRevision.objects.values_list("month", "revision")
        assert {f"{month:%Y-%m}": revision for month, revision in revisions} == {"2026-10": 2, "2026-09": 1}

    def test_keeps_intervals_as_they_were(self):
        seconds = meters.meter("seconds", "DURATION", value="gpus", per="SECOND", increment="60")
        at = {"start": "2026-10-05T10:00:00", "end": "2026-10-05T10:20:30", "gpus": 2}
        events.store([events.event(1, T, at)])
        rolling.roll_up(limit=1, at=AT)
        end = T + timedelta(minutes=20, seconds=30)
        assert buckets.intervals(seconds) == {
            ("acme", T, end, end - timedelta(microseconds=1), 2, 60_000_000)
        }

    def test_lists_what_a_meter_cannot_use_with_the_reason(self):
        meters.meter(
            "tokens",
            "SUM",
            value={"plus": ["a"], "minus": ["b"]},
            minimum="1",
            dimensions={"model": "model.name"},
        )
        bad = [
            {},
            {"a": None},
            {"a": "1_000"},
            {"a": 1, "b": "x"},
            {"a": 1, "b": 2},
            {"a": "1e20"},
            {"a": 1, "model": {"name": []}},
            {"a": 1, "model": {"name": "x" * 201}},
        ]
        events.store([events.event(n, T, each) for n, each in enumerate(bad)])
        rolling.roll_up(limit=1, at=AT)
        reasons = dict(UncountedEvent.objects.values_list("key", "reason"))
        assert [reasons[events.key_of(events.event(n, T, {}))] for n in range(len(bad))] == [
            "a is missing",
            "a is missing",
            "a is no number",
            "b is no number",
            "what is subtracted is more than what it is subtracted from",
            "a has more than 20 digits before or 18 after the decimal point",
            "model.name is an object or an array, not a text or a number",
            "model.name is longer than 200 bytes",
        ]
        assert UsageSeries.objects.count() == 0

    def test_neither_counts_nor_lists_what_is_absent_where_it_is_optional(self):
        version = meters.meter("cached", "SUM", value="cached", optional=True)
        events.store(
            [events.event(1, T, {}), events.event(2, T, {"cached": None}), events.event(3, T, {"cached": 0})]
        )
        rolling.roll_up(limit=1, at=AT)
        assert buckets.stored(version) == {("acme", frozenset(), T): (0, 1)}
        assert UncountedEvent.objects.count() == 0


class TestRollUpInAnyOrder:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(history(24)), st.integers(1, 24), st.integers(1, 5))
    def test_gives_the_same_buckets(self, shuffled, size, limit):
        with transaction.atomic():
            versions = three_meters()
            events.store_in_batches(shuffled, size)
            roll_up_all(limit)
            for version in versions:
                assert buckets.stored(version) == buckets.expected(version, shuffled)
            transaction.set_rollback(True)


class Killed(BaseException):
    """The process is gone: nothing catches it."""


class Broken(Exception):
    """A fault of the program, which `roll_up` may deal with."""


@contextmanager
def breaking_at(statement: int, error: type[BaseException]) -> Iterator[list[str]]:
    """The statement of that number fails, once. Yields the statements that were run."""
    run: list[str] = []

    def wrapper(execute, sql, params, many, context):
        run.append(sql)
        if len(run) == statement:
            raise error(f"at statement {statement}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield run


class TestRollUpThatBreaks:
    @pytest.mark.parametrize("error", [Killed, Broken])
    def test_at_any_statement_ends_with_the_same_buckets_when_it_is_started_again(self, error):
        versions, others = three_meters(), meters_that_do_not_add_up()
        stored, statement, is_through = [], 0, False
        while not is_through:
            statement += 1
            more = history(12, first=12 * statement)
            events.store_in_batches(more, 6)
            stored += more
            with breaking_at(statement, error) as run:
                with suppress(error):
                    rolling.roll_up(limit=10, at=AT)
            is_through = len(run) < statement
            roll_up_all()
        assert statement > 10
        assert not EventBatch.objects.filter(rolled_epoch__isnull=True).exists()
        assert_counted(versions, stored)
        assert all(rolling.differences(version=version).is_equal for version in others)

    def test_in_one_batch_leaves_it_pending_and_goes_on_with_the_others(self):
        calls = meters.meter("calls")
        events.store([events.event(1, T, {})])
        poison = secrets.token_hex(5_000)  # longer than an index of the database takes
        bad = events.store([events.event(2, T, {}, subject=poison)])
        events.store([events.event(3, T, {})])
        assert rolling.roll_up(limit=10, at=AT) == 2
        bad.refresh_from_db()
        assert (bad.is_pending, bad.attempts) == (True, 1)
        assert "index row" in bad.last_error
        for _ in range(rolling.ATTEMPTS_MAX - 2):
            assert rolling.roll_up(limit=10, at=AT) == 0
        bad.refresh_from_db()
        assert (bad.is_pending, bad.attempts) == (True, rolling.ATTEMPTS_MAX - 1)
        rows = usage.quantities(
            meter=calls, spans=[("acme", OCTOBER), (poison, OCTOBER)], by=["subject"]
        ).rows
        assert {row.dimensions["subject"]: row.quantity for row in rows} == {"acme": 2, poison: 1}


class TestRollUpsInParallel:
    def test_give_the_same_buckets_without_deadlock(self):
        versions, others = three_meters(), meters_that_do_not_add_up()
        stored = history(160)
        events.store_in_batches(stored, 4)
        in_threads(4, lambda: roll_up_all(limit=3))
        roll_up_all()
        assert_counted(versions, stored)
        assert all(rolling.differences(version=version).is_equal for version in others)

    def test_never_change_what_the_usage_door_answers(self):
        versions = three_meters()
        events.store_in_batches(history(120), 2)
        spans = [("acme", OCTOBER), ("globex", Period(OCTOBER.start, T + timedelta(minutes=33)))]

        def answers():
            return [usage.quantities(meter=version, spans=spans).rows for version in versions]

        before, is_done, asked = answers(), threading.Event(), []

        def ask() -> None:
            while not is_done.is_set() or not asked:
                asked.append(answers())
                assert asked[-1] == before

        def roll() -> None:
            try:
                roll_up_all(limit=1)
            finally:
                is_done.set()

        works = iter([ask, roll])
        in_threads(2, lambda: next(works)())
        assert answers() == before
