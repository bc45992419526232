from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from metering import ingesting, issuing
from metering.ingesting import contents, recording
from metering.models import Event, EventBatch, EventKey, RejectedEvent, partitions
from tests.metering.ingesting.facts import AT, draft, new_sender, submission, summary

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sender() -> ingesting.Sender:
    return new_sender()


def record(*submissions: ingesting.Submission) -> list[tuple[int, int, list[tuple[int, str]]]]:
    return [summary(receipt) for receipt in ingesting.record(submissions)]


class TestRecord:
    def test_stores_an_event_as_sent(self, sender):
        sent = draft(
            id="a", data=b'{"cost": 0.1000000000000000055511151231257827}', extensions={"region": b'"eu"'}
        )
        assert record(submission(sender, [sent])) == [(1, 0, [])]
        event = Event.objects.get()
        assert (event.source, event.event_id, event.type, event.subject) == (
            "gateway",
            "a",
            "llm.call",
            "acme",
        )
        assert event.time == datetime(2026, 10, 5, 11, tzinfo=UTC)
        assert event.extensions == {"region": "eu"}
        with connection.cursor() as cursor:
            cursor.execute("select data->>'cost' from metering_event")
            assert cursor.fetchone() == ("0.1000000000000000055511151231257827",)

    def test_writes_one_batch_a_sender(self, sender):
        other = new_sender("other")
        receipts = ingesting.record(
            [
                submission(sender, [draft("1"), draft("2", time="2026-10-05T10:00:00Z")]),
                submission(other, [draft("3")]),
                submission(
                    sender, [draft("4", time="2026-10-05T11:30:00Z"), draft("1"), draft("5", subject=None)]
                ),
            ]
        )
        assert [summary(receipt) for receipt in receipts] == [
            (2, 0, []),
            (1, 0, []),
            (1, 1, [(2, "invalid")]),
        ]
        assert receipts[0].batch == receipts[2].batch != receipts[1].batch
        batch = EventBatch.objects.get(pk=receipts[0].batch)
        assert (batch.api_key_id, batch.webhook_source_id) == (sender.api_key_id, None)
        assert (batch.accepted, batch.duplicates, batch.rejected) == (3, 1, 1)
        assert batch.time_min == datetime(2026, 10, 5, 10, tzinfo=UTC)
        assert batch.time_max == datetime(2026, 10, 5, 11, 30, tzinfo=UTC)
        assert batch.requests == [
            {"sha256": "ab" * 32, "events": 2, "offset": 0},
            {"sha256": "ab" * 32, "events": 3, "offset": 2},
        ]
        assert batch.is_pending
        assert set(Event.objects.filter(batch_id=batch.pk).values_list("event_id", flat=True)) == {
            "1",
            "2",
            "4",
        }

    def test_counts_a_repeated_event_as_a_duplicate(self, sender):
        assert record(submission(sender, [draft()])) == [(1, 0, [])]
        assert record(
            submission(new_sender("other"), [draft(data=b'{"input_tokens": 12.0, "x": null}')])
        ) == [(0, 1, [])]
        assert Event.objects.count() == 1

    def test_lets_the_first_stand_where_contents_differ(self, sender):
        record(submission(sender, [draft()]))
        assert record(submission(sender, [draft(data=b'{"input_tokens": 13}')])) == [
            (0, 0, [(0, "conflict")])
        ]
        assert Event.objects.get().data == {"input_tokens": 12}
        assert RejectedEvent.objects.get().code == "conflict"

    def test_lets_no_changed_time_slip_into_another_month(self, sender):
        record(submission(sender, [draft()]))
        assert record(submission(sender, [draft(time="2026-09-05T11:00:00Z")])) == [(0, 0, [(0, "conflict")])]
        assert Event.objects.count() == 1

    def test_takes_a_retry_without_time_for_a_duplicate_in_another_month(self, sender):
        record(submission(sender, [draft(time=None)]))
        assert record(submission(sender, [draft(time=None)], at=AT + timedelta(days=40))) == [(0, 1, [])]
        assert Event.objects.get().time == AT

    def test_lets_the_first_of_a_batch_stand(self, sender):
        events = [draft("1"), draft("1"), draft("1", subject="other"), draft("2")]
        assert record(submission(sender, events)) == [(2, 1, [(2, "conflict")])]
        assert Event.objects.get(event_id="1").subject == "acme"

    def test_stores_events_of_any_month(self, sender):
        events = [draft("1", time="2000-01-01T00:00:00Z"), draft("2", time="2013-12-31T23:59:59.999999Z")]
        assert record(submission(sender, events)) == [(2, 0, [])]
        with connection.cursor() as cursor:
            cursor.execute("select tableoid::regclass::text from metering_event order by time")
            assert cursor.fetchall() == [("metering_event_2000_01",), ("metering_event_2013_12",)]

    def test_takes_a_request_without_events(self, sender):
        assert record(submission(sender, [])) == [(0, 0, [])]

    def test_stores_events_of_a_webhook(self):
        source, _ = issuing.issue_webhook_source(name="scheduler", adapter="cloudevents", at=AT)
        [receipt] = ingesting.record([submission(ingesting.Sender(webhook_source_id=source.pk), [draft()])])
        assert EventBatch.objects.get(pk=receipt.batch).webhook_source_id == source.pk

    def test_stores_ten_thousand_at_once(self, sender):
        events = [draft(str(n), data=b'{"input_tokens": %d}' % n) for n in range(10_000)]
        assert record(submission(sender, events)) == [(10_000, 0, [])]
        with connection.cursor() as cursor:
            cursor.execute("select count(*), sum((data->>'input_tokens')::numeric) from metering_event")
            assert cursor.fetchone() == (10_000, 49_995_000)


class TestRefused:
    def test_events_take_no_key(self, sender):
        record(submission(sender, [draft(subject=None)]))
        assert not EventKey.objects.exists()
        assert record(submission(sender, [draft()])) == [(1, 0, [])]

    def test_events_are_counted_not_piled_up(self, sender):
        record(submission(sender, [draft(subject=None), draft(subject=None)]))
        record(submission(sender, [draft(subject=None)], at=AT + timedelta(hours=1)))
        rejected = RejectedEvent.objects.get()
        assert (rejected.count, rejected.first_at, rejected.last_at) == (3, AT, AT + timedelta(hours=1))
        assert bytes(rejected.key.bytes) == contents.key(source="gateway", id="1")

    def test_bodies_are_cut(self, sender):
        record(submission(sender, [draft(data=b'{"a": "%s"}' % ("é" * 40_000).encode(), size=80_000)]))
        rejected = RejectedEvent.objects.get()
        assert rejected.code == "too_large"
        assert len(rejected.body.encode()) in (65_535, 65_536)

    def test_texts_may_hold_nul(self, sender):
        record(submission(sender, [draft(id="a\0b", type="t\0")]))
        assert "\\u0000" in RejectedEvent.objects.get().body


class TestUnmeterable:
    @staticmethod
    def refusing(draft: ingesting.Draft, _time: int, _data: object) -> str | None:
        return "no meter can use it" if draft.subject == "nobody" else None

    def test_events_are_turned_away(self, sender):
        events = [draft("1", subject="nobody"), draft("2")]
        assert record(submission(sender, events, judge=self.refusing)) == [(1, 0, [(0, "unmeterable")])]
        assert Event.objects.get().event_id == "2"
        assert RejectedEvent.objects.get().message == "no meter can use it"

    def test_retries_of_what_was_accepted_before_are_duplicates(self, sender):
        record(submission(sender, [draft("1", subject="nobody")]))
        assert record(submission(sender, [draft("1", subject="nobody")], judge=self.refusing)) == [(0, 1, [])]


@pytest.fixture
def poison() -> None:
    """PostgreSQL refuses events of this type, as it would refuse what no screening foresaw."""
    with connection.cursor() as cursor:
        cursor.execute("alter table metering_event add constraint poison check (type <> 'poison') not valid")
        yield
        cursor.execute("alter table metering_event drop constraint poison")


class TestPoison:
    def test_is_turned_away_alone(self, sender, poison):
        other = new_sender("other")
        events = [draft(str(n), type="poison" if n in (3, 40) else "llm.call") for n in range(50)]
        outcome = record(submission(sender, events), submission(other, [draft("x")]))
        assert outcome == [(48, 0, [(3, "invalid"), (40, "invalid")]), (1, 0, [])]
        assert Event.objects.count() == 49
        assert set(RejectedEvent.objects.values_list("count", flat=True)) == {1}

    def test_is_told_in_postgresqls_own_words(self, sender, poison):
        [receipt] = ingesting.record([submission(sender, [draft(type="poison")])])
        assert "violates check constraint" in receipt.rejected[0].message


class TestParallel:
    def test_senders_of_the_same_batch_are_accepted_once_in_sum(self, sender):
        ids = [str(n) for n in range(300)]
        barrier = threading.Barrier(4)

        def send(order: list[str]) -> tuple[int, int, list[tuple[int, str]]]:
            try:
                barrier.wait()
                return record(submission(sender, [draft(id) for id in order]))[0]
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(send, [ids, ids[::-1], ids, ids[::-1]]))
        assert sum(accepted for accepted, _, _ in outcomes) == 300
        assert sum(duplicates for _, duplicates, _ in outcomes) == 900
        assert Event.objects.count() == EventKey.objects.count() == 300

    def test_loser_of_a_race_sees_what_the_winner_stored(self, sender):
        with ThreadPoolExecutor(1) as pool, _other_connection() as other:
            _insert_key(other, "1", content=submission(sender, [draft("1")]).facts[0].content)
            _insert_key(other, "2", content=bytes(16))
            loser = pool.submit(_record_in_thread, submission(sender, [draft("1"), draft("2"), draft("3")]))
            _wait_until_blocked(loser)
            other.commit()
            assert loser.result(30) == [(1, 1, [(1, "conflict")])]

    def test_deadlock_is_repeated(self, sender):
        outcomes = (_outcome_of_a_deadlock(sender, round) for round in range(10))
        assert next(outcome for outcome in outcomes if outcome) == [(0, 2, [])]


def _outcome_of_a_deadlock(
    sender: ingesting.Sender, round: int
) -> list[tuple[int, int, list[tuple[int, str]]]] | None:
    """What became of a submission that PostgreSQL ended because of a deadlock; None if it ended us instead.

    It ends whoever waited for a second by then. On a slow machine that may be us.
    """
    sent = submission(sender, [draft(f"{round}-1"), draft(f"{round}-2")])
    low, high = sorted(sent.facts, key=lambda fact: fact.key)
    with ThreadPoolExecutor(1) as pool, _other_connection() as other:
        _insert_key(other, high.id, content=high.content)
        victim = pool.submit(_record_in_thread, sent)
        _wait_until_blocked(victim)
        try:
            _insert_key(other, low.id, content=low.content)
        except psycopg.errors.DeadlockDetected:
            other.rollback()
            return None
        other.commit()
        return victim.result(30)


def _record_in_thread(sent: ingesting.Submission) -> list[tuple[int, int, list[tuple[int, str]]]]:
    try:
        return record(sent)
    finally:
        connection.close()


def _other_connection() -> psycopg.Connection:
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    return psycopg.connect(**{name: parameters[name] for name in names})


def _insert_key(other: psycopg.Connection, id: str, *, content: bytes) -> None:
    other.execute(
        "insert into metering_eventkey values (encode(%s, 'hex')::uuid, encode(%s, 'hex')::uuid, %s, 0)",
        [contents.key(source="gateway", id=id), content, AT],
    )


def _wait_until_blocked(future: Future) -> None:
    until = time.monotonic() + 30
    with connection.cursor() as cursor:
        while not future.done() and time.monotonic() < until:
            cursor.execute(
                "select 1 from pg_stat_activity"
                " where wait_event_type = 'Lock' and datname = current_database()"
            )
            if cursor.fetchone():
                return
    pytest.fail("nobody waits for a lock")


class TestAway:
    def test_says_that_nothing_can_be_recorded(self, sender):
        sent = submission(sender, [draft()])
        connection.ensure_connection()
        with _other_connection() as other:
            other.execute("select pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        with pytest.raises(recording.RecordingUnavailable):
            ingesting.record([sent])
        connection.close()
        assert record(sent) == [(1, 0, [])]


def _ensure_in_thread(month: date) -> None:
    try:
        partitions.ensure([month])
    finally:
        connection.close()


class TestPartitions:
    def test_are_made_once(self):
        month = datetime(2003, 5, 17, tzinfo=UTC).date()
        partitions.ensure([month])
        partitions.forget()
        partitions.ensure([month])
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('metering_event_2003_05') is not null")
            assert cursor.fetchone() == (True,)

    def test_are_made_once_by_those_who_need_one_at_once(self):
        month = datetime(2008, 5, 1, tzinfo=UTC).date()
        with _other_connection() as other:  # a database that is used again has it from the last run
            other.execute("drop table if exists metering_event_2008_05")
        partitions.forget()
        with ThreadPoolExecutor(1) as pool, _other_connection() as other:
            other.execute("select pg_advisory_xact_lock(hashtext('metering_event partitions'))")
            second = pool.submit(_ensure_in_thread, month)
            _wait_until_blocked(second)
            other.execute("create table metering_event_2008_05 (like metering_event including all)")
            other.execute(
                "alter table metering_event attach partition metering_event_2008_05"
                " for values from ('2008-05-01 00:00+00') to ('2008-06-01 00:00+00')"
            )
            other.commit()
            second.result(30)

    def test_end_where_the_next_begins(self, sender):
        events = [draft("1", time="2004-12-31T23:59:59.999999Z"), draft("2", time="2005-01-01T00:00:00Z")]
        assert record(submission(sender, events)) == [(2, 0, [])]
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from metering_event_2004_12")
            assert cursor.fetchone() == (1,)

    def test_refuse_changes_like_the_whole(self, sender):
        record(submission(sender, [draft(time="2006-02-01T00:00:00Z")]))
        with connection.cursor() as cursor, pytest.raises(Exception, match="append-only"):
            cursor.execute("delete from metering_event_2006_02")

    def test_are_unavailable_while_somebody_holds_the_table(self, monkeypatch):
        monkeypatch.setattr(partitions, "LOCK_TIMEOUT_S", 0.05)
        with _other_connection() as other:
            other.execute("lock table metering_event in share update exclusive mode")
            with pytest.raises(partitions.PartitionUnavailable):
                partitions.ensure([datetime(2001, 7, 1, tzinfo=UTC).date()])
            other.rollback()
        partitions.ensure([datetime(2001, 7, 1, tzinfo=UTC).date()])
