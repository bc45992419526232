"""The metering webhook over HTTP, against the running web process."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks

from metering import issuing
from metering.models import Event, EventBatch, WebhookSource
from tests.metering.door.deliveries import JSON, event, new_source, receipt, signature
from tests.servers import Response, WebServer

pytestmark = pytest.mark.server


def deliver(
    server: WebServer,
    source: WebhookSource,
    secret: str,
    body: bytes,
    *,
    at: datetime | None = None,
    id: str = "msg_1",
    **headers: str,
) -> Response:
    timestamp = int((at or datetime.now(tz=UTC)).timestamp())
    signed = {
        "content_type": JSON,
        "webhook_id": id,
        "webhook_timestamp": str(timestamp),
        "webhook_signature": signature(secret, id, timestamp, body),
    }
    return server.post(f"/webhooks/metering/{source.name}", body, **signed | headers)


@pytest.fixture
def signed(transactional_db) -> tuple[WebhookSource, str]:
    return new_source()


BODY = json.dumps([event("1"), event("2")]).encode()


class TestDelivery:
    def test_is_recorded(self, web_server, signed):
        assert receipt(deliver(web_server, *signed, BODY)) == (2, 0, [])
        assert EventBatch.objects.get().webhook_source_id == signed[0].pk

    def test_signed_by_the_reference_library_is_recorded(self, web_server, signed):
        source, secret = signed
        at = datetime.now(tz=UTC)
        headers = {
            "content_type": JSON,
            "webhook_id": "msg_2",
            "webhook_timestamp": str(int(at.timestamp())),
            "webhook_signature": standardwebhooks.Webhook(secret).sign("msg_2", at, BODY.decode()),
        }
        assert receipt(web_server.post(f"/webhooks/metering/{source.name}", BODY, **headers)) == (2, 0, [])

    def test_repeated_counts_as_duplicates(self, web_server, signed):
        deliver(web_server, *signed, BODY)
        assert receipt(deliver(web_server, *signed, BODY)) == (0, 2, [])

    def test_names_a_bad_event(self, web_server, signed):
        body = json.dumps([event("1"), event("2", subject=None)]).encode()
        assert receipt(deliver(web_server, *signed, body)) == (1, 0, [(1, "invalid")])
        assert set(Event.objects.values_list("event_id", flat=True)) == {"1"}

    def test_that_is_no_json_is_400(self, web_server, signed):
        assert deliver(web_server, *signed, b"no json").status == 400

    def test_is_signed_over_the_bytes_on_the_wire(self, web_server, signed):
        assert receipt(deliver(web_server, *signed, gzip.compress(BODY), content_encoding="gzip")) == (
            2,
            0,
            [],
        )

    def test_in_binary_mode_is_recorded(self, web_server, signed):
        headers = {
            "ce_specversion": "1.0",
            "ce_id": "b",
            "ce_source": "s",
            "ce_type": "t",
            "ce_subject": "acme",
        }
        assert receipt(deliver(web_server, *signed, b'{"n": 1}', **headers)) == (1, 0, [])

    def test_speaks_what_its_adapter_speaks(self, web_server, transactional_db):
        lago = new_source("lago")
        body = {"event": {"transaction_id": "1", "external_subscription_id": "acme", "code": "call"}}
        answer = deliver(web_server, *lago, json.dumps(body).encode())
        assert answer.json()["event"]["transaction_id"] == "1"
        assert receipt(deliver(web_server, *lago, json.dumps(event()).encode())) == (0, 0, [(0, "invalid")])


class TestSignature:
    @pytest.fixture(autouse=True)
    def _nothing_is_recorded(self, transactional_db):
        yield
        assert not EventBatch.objects.exists()

    def test_with_another_secret_is_401(self, web_server, signed):
        _, other = new_source()
        answer = deliver(web_server, signed[0], other, BODY)
        assert (answer.status, answer.json()["title"]) == (401, "The signature is not valid")

    def test_of_another_body_is_401(self, web_server, signed):
        now = int(datetime.now(tz=UTC).timestamp())
        header = signature(signed[1], "msg_1", now, BODY)
        assert deliver(web_server, *signed, BODY + b" ", webhook_signature=header).status == 401

    def test_of_another_id_is_401(self, web_server, signed):
        now = int(datetime.now(tz=UTC).timestamp())
        header = signature(signed[1], "msg_0", now, BODY)
        assert deliver(web_server, *signed, BODY, webhook_signature=header).status == 401

    @pytest.mark.parametrize("minutes", [-6, 6])
    def test_past_the_tolerance_is_401(self, web_server, signed, minutes):
        at = datetime.now(tz=UTC) + timedelta(minutes=minutes)
        assert deliver(web_server, *signed, BODY, at=at).status == 401

    @pytest.mark.parametrize("header", ["webhook_id", "webhook_timestamp", "webhook_signature"])
    @pytest.mark.parametrize("value", ["", "é", "v1,", "v1,!!!", "1e3"])
    def test_with_an_unusable_header_is_401(self, web_server, signed, header, value):
        assert deliver(web_server, *signed, BODY, **{header: value}).status == 401

    def test_of_an_unknown_source_is_401_in_the_same_words(self, web_server, signed):
        unknown = deliver(web_server, WebhookSource(name="nobody"), signed[1], BODY)
        wrong = deliver(web_server, signed[0], new_source()[1], BODY)
        assert (unknown.status, unknown.body) == (401, wrong.body)

    def test_of_a_revoked_source_is_401(self, web_server, signed):
        WebhookSource.objects.filter(pk=signed[0].pk).update(revoked_at=datetime.now(tz=UTC))
        assert deliver(web_server, *signed, BODY).status == 401

    def test_is_asked_of_post_only(self, web_server, signed):
        assert web_server.get(f"/webhooks/metering/{signed[0].name}").status == 405


class TestRotation:
    def test_takes_both_secrets(self, web_server, signed):
        source, old = signed
        new = issuing.rotate_webhook_secret(source=source)
        assert receipt(deliver(web_server, source, old, BODY)) == (2, 0, [])
        assert receipt(deliver(web_server, source, new, BODY)) == (0, 2, [])

    def test_takes_any_of_several_signatures(self, web_server, signed):
        now = int(datetime.now(tz=UTC).timestamp())
        header = f"v1a,abc v1,d3Jvbmc= {signature(signed[1], 'msg_1', now, BODY)}"
        assert receipt(
            deliver(web_server, *signed, BODY, webhook_timestamp=str(now), webhook_signature=header)
        ) == (2, 0, [])
