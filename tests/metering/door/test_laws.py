"""What holds for any request, over HTTP against the running web process."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering.models import Event, EventKey
from tests.metering.door.deliveries import event, new_key, send

pytestmark = pytest.mark.server

MANY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

GOOD = st.builds(
    lambda n, tokens: event(str(n), data={"input_tokens": tokens}), st.integers(0, 4), st.integers(0, 1)
)
BAD = st.sampled_from(
    [
        event("0", subject=None),
        event("1", time="1999-01-01T00:00:00Z"),
        event("2", data="text"),
        event("3", type="meterbook.void"),
        event("4", data={"text": "\0"}),
        {"id": 5},
        [],
        "text",
        None,
    ]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = (
    *("specversion", "id", "source", "type", "subject", "time", "data", "data_base64"),
    *("event", "events", "transaction_id", "timestamp", "properties"),
    *("call_type", "response_cost", "startTime", "endTime", "metadata"),
)
CONTENT_TYPES = ["application/json", "application/x-ndjson", "application/cloudevents+json", "text/plain", ""]
ALMOST_EVENTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(MEMBERS, JSON_VALUES),
)  # fmt: skip


@pytest.fixture
def key(transactional_db) -> str:
    return new_key()


class TestReceipts:
    @MANY
    @given(batches=st.lists(st.lists(st.one_of(GOOD, BAD), max_size=12), min_size=1, max_size=3))
    def test_add_up_and_name_each_rejected_event_once(self, web_server, key, batches):
        source, accepted = uuid.uuid4().hex, 0
        for batch in batches:
            for each in batch:
                if isinstance(each, dict) and "source" in each:
                    each["source"] = source
            body = send(web_server, key, batch).json()
            indexes = [each["index"] for each in body["rejected"]]
            assert body["accepted"] + body["duplicates"] + len(indexes) == len(batch)
            assert indexes == sorted(set(indexes))
            accepted += body["accepted"]
        assert Event.objects.filter(source=source).count() == accepted <= 5
        assert Event.objects.count() == EventKey.objects.count()


class TestAnyBody:
    @MANY
    @given(
        body=st.binary(max_size=200),
        content_type=st.sampled_from(CONTENT_TYPES),
        encoding=st.sampled_from(["", "gzip"]),
    )
    def test_of_bytes_is_answered_without_a_fault_of_ours(
        self, web_server, key, body, content_type, encoding
    ):
        answer = send(web_server, key, body, content_type=content_type, content_encoding=encoding)
        assert answer.status in (200, 400, 415)

    @MANY
    @given(body=st.lists(ALMOST_EVENTS | JSON_VALUES, max_size=4) | ALMOST_EVENTS)
    def test_of_json_is_answered_without_a_fault_of_ours(self, web_server, key, body):
        answer = send(web_server, key, json.dumps(body).encode())
        assert answer.status in (200, 400)
        if answer.status == 200 and isinstance(body, list):
            receipt = answer.json()
            assert receipt["accepted"] + receipt["duplicates"] + len(receipt["rejected"]) == len(body)

    @MANY
    @given(
        headers=st.dictionaries(
            st.sampled_from(
                ["ce-id", "ce-source", "ce-type", "ce-subject", "ce-time", "ce-specversion", "ce-x"]
            ),
            st.text(
                st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20
            ),
        ),
        body=st.binary(max_size=50),
    )
    def test_with_headers_of_binary_mode_is_answered_without_a_fault_of_ours(
        self, web_server, key, headers, body
    ):
        answer = web_server.request(
            "POST",
            "/api/v1/events",
            body=body,
            headers={
                name: value.encode("latin-1").decode("latin-1").strip() for name, value in headers.items()
            }
            | {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        assert answer.status in (200, 400, 415)
