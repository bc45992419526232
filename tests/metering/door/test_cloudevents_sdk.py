"""The CloudEvents SDK as a sender, over HTTP against the running web process."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import conversion
from cloudevents.v1 import http as older

from metering.models import Event
from tests.metering.door.deliveries import new_key, receipt
from tests.servers import Response, WebServer

pytestmark = pytest.mark.server

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "sdk-1",
    "source": "/gateways/1",
    "type": "llm.call",
    "subject": "Müller & Söhne",
    "region": "eu",
}
DATA = {"model": "gpt-4o", "input_tokens": 12}
TIME = datetime(2026, 10, 5, 11, 0, 0, 250_000, tzinfo=UTC)


def post(server: WebServer, headers: dict[str, str], body: bytes | None) -> Response:
    headers = headers | {"Authorization": f"Bearer {new_key()}"}
    return server.request("POST", "/api/v1/events", body=body or b"", headers=headers)


class TestSdk:
    @pytest.mark.parametrize("write", [http.to_structured_event, http.to_binary_event])
    def test_sends_what_is_stored(self, web_server, write):
        event = CloudEvent(
            attributes=ATTRIBUTES | {"time": TIME, "datacontenttype": "application/json"}, data=DATA
        )
        message = write(event)
        assert receipt(post(web_server, dict(message.headers), message.body)) == (1, 0, [])
        self._check()

    @pytest.mark.parametrize("write", [conversion.to_structured, conversion.to_binary])
    def test_of_the_first_generation_sends_what_is_stored(self, web_server, write):
        event = older.CloudEvent(
            ATTRIBUTES | {"time": TIME.isoformat(), "datacontenttype": "application/json"}, DATA
        )
        if write is conversion.to_binary:
            event["subject"] = (
                "M%C3%BCller %26 S%C3%B6hne"  # this generation leaves the encoding to its caller
            )
        headers, body = write(event)
        assert receipt(post(web_server, dict(headers), body)) == (1, 0, [])
        self._check()

    @staticmethod
    def _check() -> None:
        stored = Event.objects.get()
        assert (stored.source, stored.event_id, stored.type) == ("/gateways/1", "sdk-1", "llm.call")
        assert (stored.subject, stored.time, stored.extensions) == ("Müller & Söhne", TIME, {"region": "eu"})
        assert stored.data == DATA
