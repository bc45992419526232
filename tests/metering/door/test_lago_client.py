"""Lago's Python client as a sender, unmodified, over HTTP against the running web process."""

from __future__ import annotations

import pytest
from lago_python_client.client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import BatchEvent, Event

from metering.models import Event as StoredEvent
from metering.models import RejectedEvent
from tests.metering.door.deliveries import new_key

pytestmark = pytest.mark.server


@pytest.fixture
def client(web_server):
    return Client(api_key=new_key(), api_url=f"{web_server.url}/")


def event(id, **members):
    usual = {
        "transaction_id": id,
        "external_subscription_id": "acme",
        "code": "gpu.usage",
        "timestamp": 1_760_000_000,
        "properties": {"gpu_count": 8, "gpu_type": "H100"},
    }
    return Event(**usual | members)


class TestCreate:
    def test_is_stored_and_answered_as_lago_does(self, client):
        answer = client.events.create(event("1", precise_total_amount_cents="1234.5"))
        assert (answer.transaction_id, answer.external_subscription_id, answer.code) == (
            "1",
            "acme",
            "gpu.usage",
        )
        assert answer.properties == {
            "gpu_count": 8,
            "gpu_type": "H100",
            "precise_total_amount_cents": "1234.5",
        }
        stored = StoredEvent.objects.get()
        assert (stored.source, stored.event_id, stored.subject) == ("lago", "1", "acme")
        assert stored.time.isoformat() == "2025-10-09T08:53:20+00:00"
        assert stored.data["precise_total_amount_cents"] == "1234.5"

    def test_without_a_time_happened_when_it_arrived(self, client):
        client.events.create(event("1", timestamp=None))
        assert StoredEvent.objects.get().time.year >= 2026

    def test_a_second_time_is_no_fault(self, client):
        client.events.create(event("1"))
        client.events.create(event("1"))
        assert StoredEvent.objects.count() == 1

    def test_with_a_wrong_key_is_told_in_json(self, web_server, transactional_db):
        client = Client(api_key="mb_wrong_key", api_url=f"{web_server.url}/")
        with pytest.raises(LagoApiError) as refused:
            client.events.create(event("1"))
        assert refused.value.status_code == 401
        assert refused.value.response["title"] == "No valid API key"


class TestBatchCreate:
    def test_stores_each_and_keeps_a_bad_one(self, client):
        client.events.batch_create(BatchEvent(events=[event("1"), event("2", code=""), event("3")]))
        assert set(StoredEvent.objects.values_list("event_id", flat=True)) == {"1", "3"}
        assert RejectedEvent.objects.get().code == "invalid"
