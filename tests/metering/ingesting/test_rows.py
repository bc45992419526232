"""Rows travel in PostgreSQL's binary forms: what is stored must be what was sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metering import ingesting
from metering.models import Event, EventBatch, EventKey
from tests.metering.ingesting.facts import draft, new_sender, submission, summary

pytestmark = pytest.mark.django_db(transaction=True)


class TestRows:
    def test_hold_every_member_as_it_was_sent(self):
        sent = draft(
            "ünïcode-中文-🙂",
            source="Tür/1",
            type="llm.call",
            subject="Ünal & Söhne",
            time="2026-10-05T11:00:00.000001Z",
            data='{"text": "中文 \\u00e9 \\" \\\\", "n": 0.10, "deep": {"a": [1, null]}}'.encode(),
            extensions={"region": b'"eu"'},
        )
        ingesting.record([submission(new_sender(), [sent])])
        event = Event.objects.get()
        assert (event.source, event.event_id, event.type) == ("Tür/1", "ünïcode-中文-🙂", "llm.call")
        assert (event.subject, event.time) == (
            "Ünal & Söhne",
            datetime(2026, 10, 5, 11, 0, 0, 1, tzinfo=UTC),
        )
        assert event.data == {"text": '中文 é " \\', "n": 0.1, "deep": {"a": [1, None]}}
        assert event.extensions == {"region": "eu"}
        key = EventKey.objects.get()
        assert (key.key, key.time, key.batch_id) == (event.key, event.time, event.batch_id)

    def test_without_extensions_have_none(self):
        ingesting.record([submission(new_sender(), [draft()])])
        assert Event.objects.get().extensions is None

    def test_of_several_senders_carry_their_own_batches(self):
        one, other = new_sender("one"), new_sender("other")
        first, second, third = ingesting.record(
            [
                submission(one, [draft("a", time="2026-10-05T10:00:00Z")]),
                submission(other, [draft("b", time="2026-09-30T10:00:00Z")]),
                submission(one, [draft("c", time="2026-10-05T09:00:00Z"), draft("d")]),
            ]
        )
        assert first.batch == third.batch != second.batch
        stored = dict(Event.objects.values_list("event_id", "batch_id"))
        of_one, of_other = int(first.batch), int(second.batch)
        assert stored == {"a": of_one, "b": of_other, "c": of_one, "d": of_one}
        batch = EventBatch.objects.get(pk=of_one)
        assert (batch.accepted, batch.time_min.hour, batch.time_max.hour) == (3, 9, 11)
        assert [(each["events"], each["offset"]) for each in batch.requests] == [(1, 0), (2, 1)]

    def test_that_are_there_already_are_left_out(self):
        sender = new_sender()
        ingesting.record([submission(sender, [draft("2"), draft("4")])])
        again = [draft("1"), draft("2"), draft("3"), draft("4", subject="other"), draft("5")]
        [receipt] = ingesting.record([submission(sender, again)])
        assert summary(receipt) == (3, 1, [(3, "conflict")])
        assert Event.objects.filter(batch_id=receipt.batch).count() == 3
        assert EventBatch.objects.get(pk=receipt.batch).accepted == 3
        assert set(Event.objects.values_list("key", flat=True)) == set(
            EventKey.objects.values_list("key", flat=True)
        )

    def test_of_one_event_from_two_senders_at_once_are_stored_once(self):
        one, other = new_sender("one"), new_sender("other")
        receipts = ingesting.record(
            [
                submission(one, [draft("x"), draft("a")]),
                submission(other, [draft("x"), draft("b"), draft("a", subject="other")]),
            ]
        )
        assert [summary(each) for each in receipts] == [(2, 0, []), (1, 1, [(2, "conflict")])]
        assert sorted(Event.objects.values_list("event_id", flat=True)) == ["a", "b", "x"]
