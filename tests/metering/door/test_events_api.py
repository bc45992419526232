"""The events API over HTTP, against the running web process."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from metering import issuing
from metering.models import ApiKey, Event, EventBatch, Meter, MeterVersion, RejectedEvent
from tests.metering.door.deliveries import event, new_key, new_key_row, receipt, send
from tests.servers import Response, WebServer

pytestmark = pytest.mark.server


@pytest.fixture
def key(transactional_db) -> str:
    return new_key()


class TestReceipt:
    def test_counts_what_was_stored(self, web_server, key):
        body = json.dumps([event("1"), event("2")]).encode()
        answer = send(web_server, key, body)
        batch = EventBatch.objects.get()
        assert answer.json() == {
            "batch": str(batch.pk),
            "sha256": hashlib.sha256(body).hexdigest(),
            "accepted": 2,
            "duplicates": 0,
            "rejected": [],
        }
        assert batch.requests == [{"sha256": hashlib.sha256(body).hexdigest(), "events": 2, "offset": 0}]
        assert Event.objects.filter(batch_id=batch.pk).count() == 2

    def test_names_each_bad_event_and_stores_the_others(self, web_server, key):
        events = [
            event("0"),
            event("1", subject=None),
            5,
            event("3", time="1999-01-01T00:00:00Z"),
            event("4"),
            event("5", data={"text": "x" * 65_536}),
            event("6", data={"text": "\0"}),
            event("7", type="meterbook.void", data={"source": "gateway", "id": "0", "reason": "test"}),
        ]
        answer = send(web_server, key, events)
        refused = [
            (1, "invalid"),
            (2, "invalid"),
            (3, "time"),
            (5, "too_large"),
            (6, "invalid"),
            (7, "invalid"),
        ]
        assert receipt(answer) == (2, 0, refused)
        assert [each["id"] for each in answer.json()["rejected"]] == ["1", "", "3", "5", "6", "7"]
        assert "subject is missing" in answer.json()["rejected"][0]["message"]
        assert set(Event.objects.values_list("event_id", flat=True)) == {"0", "4"}
        assert RejectedEvent.objects.count() == 6

    def test_is_200_also_when_every_event_was_rejected(self, web_server, key):
        assert receipt(send(web_server, key, event(subject=""))) == (0, 0, [(0, "invalid")])

    def test_tells_duplicates_from_conflicts(self, web_server, key):
        assert receipt(send(web_server, key, event())) == (1, 0, [])
        assert receipt(send(web_server, key, event(traceparent="00-2"))) == (0, 1, [])
        assert receipt(send(web_server, key, event(data={"input_tokens": 13}))) == (0, 0, [(0, "conflict")])
        assert receipt(send(web_server, key, event(time="2026-09-05T11:00:00Z"))) == (0, 0, [(0, "conflict")])

    def test_takes_a_time_up_to_a_day_ahead(self, web_server, key):
        now = datetime.now(tz=UTC)
        near, far = now + timedelta(hours=23, minutes=59), now + timedelta(hours=24, minutes=1)
        events = [event("near", time=near.isoformat()), event("far", time=far.isoformat())]
        assert receipt(send(web_server, key, events)) == (1, 0, [(1, "time")])

    @pytest.mark.parametrize(
        "data",
        [
            '{"a": "\\u0000"}',
            '{"a": 1e-20000}',
            '{"a": 1E+999999}',
            '{"a": "\\ud800"}',
            '{"a": %s}' % ("9" * 5000),
        ],
    )
    def test_is_not_spoilt_by_a_poisonous_event(self, web_server, key, data):
        good, bad = json.dumps(event("good")), json.dumps(event("bad")).replace('{"input_tokens": 12}', data)
        assert receipt(send(web_server, key, f"[{bad}, {good}]".encode())) == (1, 0, [(0, "invalid")])

    def test_of_an_empty_array_counts_nothing(self, web_server, key):
        assert receipt(send(web_server, key, [])) == (0, 0, [])


class TestStrictMeter:
    def test_turns_away_what_it_cannot_use_soon_after_it_was_made(self, web_server, key):
        document = {
            "slug": "s",
            "name": "s",
            "unit": "",
            "event_type": "strict.test",
            "aggregation": "SUM",
            "value": "n",
        }
        meter = Meter.objects.create(slug="s", created_at=datetime.now(tz=UTC))
        MeterVersion.objects.create(
            meter=meter, number=1, document=document, epoch=1, created_at=datetime.now(tz=UTC)
        )
        outcome = _until(
            lambda n: receipt(send(web_server, key, event(f"e{n}", type="strict.test"))),
            lambda outcome: outcome[0] == 0,
        )
        assert outcome == (0, 0, [(0, "unmeterable")])


class TestFormats:
    def test_one_cloudevent(self, web_server, key):
        answer = send(web_server, key, event(), content_type="application/cloudevents+json; charset=utf-8")
        assert receipt(answer) == (1, 0, [])

    def test_batch_of_cloudevents(self, web_server, key):
        answer = send(
            web_server, key, [event(), event("2")], content_type="application/cloudevents-batch+json"
        )
        assert receipt(answer) == (2, 0, [])

    def test_json_without_specversion(self, web_server, key):
        body = event()
        del body["specversion"]
        assert receipt(send(web_server, key, body)) == (1, 0, [])

    def test_binary_mode(self, web_server, key):
        headers = {"ce_specversion": "1.0", "ce_id": "b1", "ce_source": "gateway", "ce_type": "llm.call"}
        headers |= {"ce_subject": "caf%C3%A9", "ce_time": "2026-10-05T11:00:00Z", "ce_region": "eu"}
        assert receipt(send(web_server, key, b'{"input_tokens": 12}', **headers)) == (1, 0, [])
        stored = Event.objects.get()
        assert (stored.event_id, stored.subject, stored.extensions) == ("b1", "café", {"region": "eu"})
        assert stored.data == {"input_tokens": 12}

    def test_lines(self, web_server, key):
        body = b"\n".join(
            [json.dumps(event("1")).encode(), b"", b"{not json", json.dumps(event("2")).encode(), b""]
        )
        answer = send(web_server, key, body, content_type="application/x-ndjson")
        assert receipt(answer) == (2, 0, [(1, "invalid")])

    def test_gzip(self, web_server, key):
        body = json.dumps([event("1"), event("2")]).encode()
        answer = send(web_server, key, gzip.compress(body), content_encoding="gzip")
        assert receipt(answer) == (2, 0, [])
        assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()

    def test_lago_event(self, web_server, key):
        body = {
            "event": {
                "transaction_id": "t1",
                "external_subscription_id": "acme",
                "code": "call",
                "timestamp": "1790812800.5",
                "properties": {"model": "m"},
                "precise_total_amount_cents": None,
            }
        }
        answer = send(web_server, key, body)
        assert answer.json()["event"] | {"lago_id": "", "created_at": ""} == {
            "lago_id": "",
            "created_at": "",
            "lago_customer_id": None,
            "transaction_id": "t1",
            "external_subscription_id": "acme",
            "code": "call",
            "timestamp": "2026-10-01T00:00:00.5Z",
            "properties": {"model": "m"},
        }
        stored = Event.objects.get()
        assert (stored.source, stored.event_id, stored.type, stored.subject) == ("lago", "t1", "call", "acme")

    def test_lago_batch(self, web_server, key):
        events = [
            {"transaction_id": n, "external_subscription_id": "acme", "code": "call"} for n in ("1", "2")
        ]
        body = json.dumps({"events": events}).encode()
        answer = web_server.post(
            "/api/v1/events/batch", body, authorization=f"Bearer {key}", content_type="application/json"
        )
        assert receipt(answer) == (2, 0, [])
        assert [each["transaction_id"] for each in answer.json()["events"]] == ["1", "2"]

    def test_litellm_payload_without_its_prompts(self, web_server, key):
        payload = {
            "id": "chat-1", "call_type": "acompletion", "status": "success", "response_cost": 1.2e-05,
            "custom_llm_provider": "openai", "model": "gpt-4o", "prompt_tokens": 10, "completion_tokens": 20,
            "total_tokens": 30, "startTime": 1790812800.25, "endTime": 1790812801.5, "end_user": "",
            "metadata": {"user_api_key_user_id": "u1",
                         "usage_object": {"prompt_tokens_details": {"cached_tokens": 4}}},
            "messages": [{"role": "user", "content": "secret"}], "response": {"text": "secret"},
        }  # fmt: skip
        assert receipt(send(web_server, key, [payload])) == (1, 0, [])
        stored = Event.objects.get()
        assert (stored.source, stored.event_id, stored.type, stored.subject) == (
            "litellm",
            "chat-1",
            "llm.call",
            "u1",
        )
        assert stored.time == datetime(2026, 10, 1, 0, 0, 1, 500_000, tzinfo=UTC)
        assert stored.data == {
            "model": "gpt-4o", "provider": "openai", "input_tokens": 10, "output_tokens": 20,
            "total_tokens": 30, "status": "success", "call_type": "acompletion", "response_cost": 0.000012,
            "duration_ms": 1250, "cached_input_tokens": 4,
        }  # fmt: skip

    def test_litellm_payload_without_a_subject_is_kept_without_its_prompts(self, web_server, key):
        payload = {
            "id": "1",
            "call_type": "completion",
            "response_cost": 1,
            "messages": "secret",
            "metadata": {},
        }
        assert receipt(send(web_server, key, payload)) == (0, 0, [(0, "invalid")])
        broken = json.dumps([payload]).replace('"secret"', '"secret \\ud800"')
        assert receipt(send(web_server, key, broken.encode())) == (0, 0, [(0, "invalid")])
        bodies = set(RejectedEvent.objects.values_list("body", flat=True))
        assert bodies == {'{"id":"1","call_type":"completion","response_cost":1,"metadata":{}}', ""}

    def test_chunked_body(self, web_server, key):
        connection = http.client.HTTPConnection(web_server.host, web_server.port, timeout=60)
        parts = json.dumps([event("1"), event("2")]).encode().partition(b",")
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/events", body=iter(parts), headers=headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["accepted"]) == (200, 2)
        connection.close()


class TestRefusals:
    @pytest.mark.parametrize(
        "authorization",
        ["", "Bearer", "Bearer nonsense", "Bearer mb_aaaaaaaaaa_bbbb", "Basic dXNlcjpwYXNz", "Bearer mb_é_x"],
    )
    def test_unknown_key_is_401(self, web_server, authorization):
        answer = web_server.post(
            "/api/v1/events", b"[]", content_type="application/json", authorization=authorization
        )
        assert _problem(answer) == (401, "No valid API key")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_wrong_secret_of_a_known_key_is_401(self, web_server, key):
        assert send(web_server, key[:-1] + ("a" if key[-1] != "a" else "b"), []).status == 401

    def test_revoked_key_is_401_within_seconds(self, web_server):
        row, key = new_key_row()
        assert send(web_server, key, []).status == 200
        issuing.revoke_api_key(key=row, at=datetime.now(tz=UTC))
        assert _until(lambda _: send(web_server, key, []).status, lambda status: status != 200) == 401

    def test_missing_scope_is_403(self, web_server):
        answer = send(web_server, new_key("read"), [])
        assert _problem(answer) == (403, "The API key may not do this")
        assert "'ingest'" in answer.json()["detail"]

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_other_method_is_405(self, web_server, method):
        answer = web_server.request(method, "/api/v1/events")
        assert (_problem(answer)[0], answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    def test_other_method_for_a_batch_is_405(self, web_server, method):
        answer = web_server.request(method, "/api/v1/events/batch")
        assert (_problem(answer)[0], answer.headers["allow"]) == (405, "POST")

    @pytest.mark.parametrize(
        "body", [b"", b"  ", b"{", b"no json", b"5", b'"text"', b"null", b"[1,", b"\xff\xfe", b"[" * 100_000]
    )
    def test_body_that_is_no_json_is_400(self, web_server, key, body):
        assert _problem(send(web_server, key, body)) == (400, "The body cannot be read")

    @pytest.mark.parametrize(
        "content_type",
        ["application/x-www-form-urlencoded", "text/plain", "", "application/json; charset=latin-1"],
    )
    def test_other_content_type_is_415(self, web_server, key, content_type):
        assert send(web_server, key, [], content_type=content_type).status == 415

    def test_other_encoding_is_415(self, web_server, key):
        assert send(web_server, key, [], content_encoding="br").status == 415

    @pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"[]")[:-4]], ids=["no gzip", "cut short"])
    def test_broken_gzip_is_400(self, web_server, key, body):
        assert send(web_server, key, body, content_encoding="gzip").status == 400

    def test_gzip_bomb_is_413(self, web_server, key):
        packer = zlib.compressobj(9, wbits=31)
        bomb = b"".join(packer.compress(bytes(1024**2)) for _ in range(500)) + packer.flush()
        assert len(bomb) < 1024**2
        assert _problem(send(web_server, key, bomb, content_encoding="gzip")) == (
            413,
            "The request is too large",
        )

    def test_body_past_10_mb_is_413(self, web_server, key):
        assert send(web_server, key, b"[" + b" " * (10 * 1024**2 - 2) + b"]").status == 200
        assert send(web_server, key, b"[" + b" " * (10 * 1024**2 - 1) + b"]").status == 413

    def test_more_than_10_000_events_are_413(self, web_server, key):
        assert receipt(send(web_server, key, [event(str(n)) for n in range(10_000)])) == (10_000, 0, [])
        answer = send(web_server, key, [event(str(n)) for n in range(10_001)])
        assert answer.status == 413
        assert "10,001" in answer.json()["detail"]

    def test_other_addresses_go_on_to_django(self, web_server, key):
        assert web_server.get("/api/v1/nothing").status == 404
        assert web_server.get("/healthz").json() == {"status": "ok"}


class TestReading:
    def test_goes_on_to_the_api_behind_the_door(self, web_server, key):
        send(web_server, key, event("read", data={"cost": 0.1}))
        reader = {"Authorization": f"Bearer {new_key('read')}"}
        answer = web_server.request("GET", "/api/v1/events?id=read", headers=reader)
        assert (answer.status, [each["id"] for each in answer.json()["events"]]) == (200, ["read"])

    def test_is_refused_to_a_key_that_may_only_send(self, web_server, key):
        answer = web_server.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {key}"})
        assert _problem(answer) == (403, "The API key may not do this")

    def test_needs_a_key(self, web_server, key):
        assert _problem(web_server.get("/api/v1/events")) == (401, "No valid API key")

    def test_ends_within_seconds_for_a_revoked_key(self, web_server):
        row, key = new_key_row("read")
        headers = {"Authorization": f"Bearer {key}"}
        assert web_server.request("GET", "/api/v1/events", headers=headers).status == 200
        issuing.revoke_api_key(key=row, at=datetime.now(tz=UTC))
        last = _until(
            lambda _: web_server.request("GET", "/api/v1/events", headers=headers).status,
            lambda status: status != 200,
        )
        assert last == 401


class TestRate:
    """The bucket fills by the clock: a limit of one event a second, and requests much faster than that."""

    @pytest.fixture
    def slow_key(self, transactional_db) -> str:
        return issuing.issue_api_key(
            name="slow", scopes=["ingest", "read"], at=datetime.now(tz=UTC), events_per_second_max=1
        )[1]

    def test_past_it_is_429_with_the_seconds_to_wait(self, web_server, slow_key):
        assert receipt(send(web_server, slow_key, [event(str(n)) for n in range(100)])) == (100, 0, [])
        answer = send(web_server, slow_key, event("late"))
        assert _problem(answer) == (429, "The API key is used too fast")
        assert 90 <= int(answer.headers["retry-after"]) <= 101
        assert not Event.objects.filter(event_id="late").exists()

    def test_counts_what_is_read_too(self, web_server, slow_key):
        send(web_server, slow_key, [event(str(n)) for n in range(100)])
        answer = web_server.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {slow_key}"})
        assert _problem(answer) == (429, "The API key is used too fast")
        assert 90 <= int(answer.headers["retry-after"]) <= 101

    def test_of_one_key_is_not_that_of_another(self, web_server, slow_key, key):
        send(web_server, slow_key, [event(str(n)) for n in range(100)])
        assert receipt(send(web_server, key, event("other"))) == (1, 0, [])

    def test_works_without_a_broker(self, lonely_web_server, slow_key):
        send(lonely_web_server, slow_key, [event(str(n)) for n in range(100)])
        assert send(lonely_web_server, slow_key, event("late")).status == 429

    def test_ends_within_seconds_of_being_lifted(self, web_server, slow_key):
        send(web_server, slow_key, [event(str(n)) for n in range(100)])
        issuing.limit_api_key(key=ApiKey.objects.get(name="slow"), events_per_second_max=None)
        last = _until(lambda _: send(web_server, slow_key, event("late")).status, lambda code: code == 200)
        assert last == 200


class TestParallel:
    def test_requests_of_the_same_batch_are_accepted_once_in_sum(self, web_server, key):
        body = json.dumps([event(str(n)) for n in range(200)]).encode()
        barrier = threading.Barrier(8)

        def post(_: int) -> tuple[int, int, list[tuple[int, str]]]:
            barrier.wait()
            return receipt(send(web_server, key, body))

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(post, range(8)))
        assert sum(accepted for accepted, _, _ in outcomes) == 200
        assert sum(duplicates for _, duplicates, _ in outcomes) == 1_400
        assert Event.objects.count() == 200

    def test_processes_accept_the_same_batch_once_in_sum(self, web_server, lonely_web_server, key):
        body = json.dumps([event(str(n)) for n in range(500)]).encode()
        servers = [web_server, lonely_web_server] * 2
        barrier = threading.Barrier(len(servers))

        def post(server: WebServer) -> tuple[int, int, list[tuple[int, str]]]:
            barrier.wait()
            return receipt(send(server, key, body))

        with ThreadPoolExecutor(len(servers)) as pool:
            outcomes = list(pool.map(post, servers))
        assert sum(accepted for accepted, _, _ in outcomes) == 500
        assert sum(duplicates for _, duplicates, _ in outcomes) == 1_500
        assert Event.objects.count() == 500


class TestBroker:
    def test_is_not_needed(self, lonely_web_server, key):
        assert receipt(send(lonely_web_server, key, event("1"))) == (1, 0, [])
        assert receipt(send(lonely_web_server, key, event("2"))) == (1, 0, [])

    @pytest.mark.worker
    def test_carries_the_call_that_wakes_the_roll_up(self, web_server, celery_worker, key):
        send(web_server, key, event())
        rolled_at = _until(lambda _: EventBatch.objects.get().rolled_at, lambda at: at is not None)
        assert rolled_at is not None


class TestKeyUse:
    def test_is_noted_to_the_minute(self, web_server):
        row, key = new_key_row()
        before = datetime.now(tz=UTC)
        send(web_server, key, [])
        used = _until(
            lambda _: ApiKey.objects.get(pk=row.pk).last_used_at, lambda at: at is not None, every_s=0.1
        )
        assert used is not None
        assert used >= before - timedelta(seconds=1)


class TestDatabaseAway:
    def test_answers_503_and_recovers(self, web_server, key):
        assert send(web_server, key, event("1")).status == 200
        with _no_connections():
            answer = send(web_server, key, event("2"))
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        recovered = _until(lambda _: send(web_server, key, event("2")).status, lambda status: status == 200)
        assert recovered == 200
        assert Event.objects.count() == 2


def _problem(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == ("about:blank", answer.status)
    assert body["detail"]
    return answer.status, body["title"]


def _until(attempt, is_done, *, every_s: float = 0.05):
    """The first result that is done; the last one after 30 seconds."""
    until, n = time.monotonic() + 30, 0
    while not is_done(result := attempt(n)) and time.monotonic() < until:
        time.sleep(every_s)
        n += 1
    return result


@contextmanager
def _no_connections() -> Iterator[None]:
    """Everybody, the web process too, loses the connections to the database and gets no others."""
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password")
    name = connection.settings_dict["NAME"]
    connection.close()
    with psycopg.connect(
        **{key: parameters[key] for key in names}, dbname="postgres", autocommit=True
    ) as server:
        server.execute(f'alter database "{name}" allow_connections false')
        try:
            server.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
            )
            yield
        finally:
            server.execute(f'alter database "{name}" allow_connections true')
