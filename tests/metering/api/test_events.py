"""GET /api/v1/events behind the door: filters, pages, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from metering import ingesting
from metering.api.parameters import LIMIT_MAX
from metering.models import Event, patience
from metering.usage import events as stored
from tests.metering.door.deliveries import new_key
from tests.metering.ingesting import facts
from tests.world.events import event, store

pytestmark = pytest.mark.django_db

MAY = datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture
def read(client):
    """Reads a page: (status, body)."""
    authorization = f"Bearer {new_key('read')}"

    def get(**parameters):
        answer = client.get("/api/v1/events", parameters, headers={"authorization": authorization})
        return answer.status_code, answer.json()

    return get


def ids(answer):
    status, body = answer
    assert status == 200, body
    return [each["id"] for each in body["events"]]


class TestEvents:
    def test_are_shown_as_they_were_stored(self, read):
        batch = store([event(1, MAY, {"cost": Decimal("0.1000000000000000000000000000001"), "n": 12})])
        status, body = read()
        assert (status, body["next"]) == (200, None)
        [shown] = body["events"]
        del shown["data"]
        assert shown == {
            "id": "e1",
            "source": "test",
            "type": "llm.call",
            "subject": "acme",
            "time": "2026-05-31T23:59:59Z",
            "extensions": {},
            "batch": str(batch.pk),
        }

    def test_keep_every_digit_of_their_numbers(self, client):
        store([event(1, MAY, {"cost": Decimal("0.1000000000000000000000000000001")})])
        answer = client.get("/api/v1/events", headers={"authorization": f"Bearer {new_key('read')}"})
        assert b"0.1000000000000000000000000000001" in answer.content

    def test_are_none_where_nothing_is_stored(self, read):
        assert read() == (200, {"events": [], "next": None})


class TestFilters:
    @pytest.fixture(autouse=True)
    def _stored(self, transactional_db):
        june = MAY + timedelta(seconds=1)
        store(
            [event(1, MAY, {}), event(2, MAY, {}, subject="Müller & Söhne"), event(3, june, {}, type="gpu")]
        )

    @pytest.mark.parametrize(
        ("parameters", "found"),
        [
            ({"subject": "acme"}, ["e3", "e1"]),
            ({"subject": "Müller & Söhne"}, ["e2"]),
            ({"subject": "Acme"}, []),
            ({"type": "gpu"}, ["e3"]),
            ({"id": "e2"}, ["e2"]),
            ({"source": "test", "id": "e9"}, []),
            ({"source": "other"}, []),
            ({"from": "2026-06-01T00:00:00Z"}, ["e3"]),
            ({"to": "2026-06-01T00:00:00Z", "subject": "acme"}, ["e1"]),
            ({"from": "2026-06-01T02:00:00+02:00", "to": "2026-06-01T00:00:01"}, ["e3"]),
            ({"from": "2026-06-01T00:00:00.000001Z"}, []),
            ({"subject": "acme", "type": "llm.call", "from": "2026-05-01T00:00:00Z"}, ["e1"]),
        ],
    )
    def test_narrow_the_answer(self, read, parameters, found):
        assert ids(read(**parameters)) == found

    @pytest.mark.parametrize(
        ("parameters", "field"),
        [
            ({"subjekt": "acme"}, "subjekt"),
            ({"subject": ""}, "subject"),
            ({"subject": "x" * 1025}, "subject"),
            ({"id": "\0"}, "id"),
            ({"from": "yesterday"}, "from"),
            ({"to": "2026-02-30T00:00:00Z"}, "to"),
            ({"from": "2026-06-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, "to"),
            ({"limit": 0}, "limit"),
            ({"limit": LIMIT_MAX + 1}, "limit"),
            ({"limit": "many"}, "limit"),
            ({"cursor": "nonsense"}, "cursor"),
            ({"cursor": "é"}, "cursor"),
            ({"cursor": "f" * 32}, "cursor"),
            ({"subject": ["a", "b"]}, "subject"),
        ],
    )
    def test_that_are_wrong_are_named(self, read, parameters, field):
        status, body = read(**parameters)
        assert (status, body["title"], body["status"]) == (400, "The request is not valid", 400)
        assert [each["field"] for each in body["errors"]] == [field]
        assert field in body["detail"]

    def test_of_source_and_id_find_the_event_by_its_key(self, read):
        drafts = [facts.draft("a"), facts.draft("a", source="other"), facts.draft("b")]
        ingesting.record([facts.submission(facts.new_sender(), drafts)])
        assert ids(read(source="gateway", id="a")) == ["a"]
        assert len(ids(read(id="a"))) == 2
        assert ids(read(source="gateway", id="a", subject="nobody")) == []


class TestPages:
    def test_follow_each_other_without_a_gap_or_an_overlap(self, read):
        times = [MAY + timedelta(seconds=n // 3) for n in range(10)]
        store([event(n, time, {}) for n, time in enumerate(times)])
        found, cursor, pages = [], {}, 0
        while cursor is not None:
            status, body = read(limit=4, **cursor)
            assert status == 200
            found += [(each["time"], each["id"]) for each in body["events"]]
            cursor = None if body["next"] is None else {"cursor": body["next"]}
            pages += 1
        assert pages == 3
        assert len(found) == len(set(found)) == 10
        assert [time for time, _ in found] == sorted((time for time, _ in found), reverse=True)

    def test_that_are_just_full_are_the_last(self, read):
        store([event(n, MAY, {}) for n in range(4)])
        status, body = read(limit=4)
        assert (status, len(body["events"]), body["next"]) == (200, 4, None)

    def test_are_steady_while_events_arrive(self, read):
        store([event(n, MAY + timedelta(seconds=n), {}) for n in range(4)])
        _, first = read(limit=2)
        store([event(9, MAY + timedelta(seconds=9), {})])
        assert ids(read(limit=2, cursor=first["next"])) == ["e1", "e0"]


class TestSearch:
    @pytest.mark.parametrize("column", ["subject", "event_id"])
    def test_uses_the_index_of_each_months_table(self, column):
        store([event(n, MAY, {}) for n in range(50)])
        with patience.answer_in_time(is_searching=True), connection.cursor() as cursor:
            cursor.execute(f"explain select * from metering_event where {column} = 'rare'")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Bitmap Index Scan on metering_event_2026_05" in plan

    def test_that_takes_too_long_asks_for_less(self, read, monkeypatch):
        store([event(1, MAY, {})])
        monkeypatch.setattr(patience, "STATEMENT_MS", 1)
        slow = Event.objects.extra(where=["pg_sleep(1) is not null"])
        monkeypatch.setattr(stored, "_chosen", lambda filters: slow)
        status, body = read()
        assert (status, body["status"]) == (422, 422)
        assert "`from` and `to`" in body["detail"]


class TestAddresses:
    def test_that_nobody_has_are_404_in_json(self, client):
        answer = client.get("/api/v1/evnets")
        assert (answer.status_code, answer["content-type"]) == (404, "application/problem+json")
        assert "/api/v1/evnets" in answer.json()["detail"]
