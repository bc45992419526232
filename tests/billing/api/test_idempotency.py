"""Idempotency-Key: one effect, one answer, whatever is sent again, at once, or fails half-way."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import get_resolver

from billing.api import customers, idempotency
from billing.models import Customer, IdempotencyRecord
from tests.billing.api.test_customers import fault
from tests.metering.door.deliveries import new_key
from tests.world import meters

ACME = {"key": "acme", "name": "Acme", "currency": "USD"}
# They have no effect, so that there is nothing to keep from happening twice.
WITHOUT_EFFECT = {"quotes", "estimates", "advice", "plan_diff", "meter_query"}


@pytest.mark.django_db
class TestKey:
    def test_brings_the_first_answer_again(self, ask):
        first = ask("POST", "/customers", ACME, idempotency_key="k-1")
        again = ask("POST", "/customers", ACME, idempotency_key="k-1")
        assert (again.status_code, again.content) == (201, first.content)
        assert (again["Location"], again["Content-Type"]) == (first["Location"], first["Content-Type"])
        assert again["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert Customer.objects.count() == 1

    def test_brings_it_as_it_was_whatever_changed_since(self, ask):
        first = ask("POST", "/customers", ACME, idempotency_key="k-1")
        ask("PATCH", "/customers/acme", {"name": "Other"})
        assert ask("POST", "/customers", ACME, idempotency_key="k-1").content == first.content

    @pytest.mark.parametrize("other", [{**ACME, "key": "b"}, json.dumps(ACME) + " "])
    def test_is_for_one_body(self, ask, other):
        ask("POST", "/customers", ACME, idempotency_key="k-1")
        refused = ask("POST", "/customers", other, idempotency_key="k-1")
        assert fault(refused) == (409, "idempotency_key_reused", "Idempotency-Key")
        assert Customer.objects.count() == 1

    def test_is_for_one_address(self, ask):
        meters.meter("tokens")
        meters.meter("calls")
        assert ask("POST", "/meters/tokens/archive", idempotency_key="k-1").status_code == 200
        refused = ask("POST", "/meters/calls/archive", idempotency_key="k-1")
        assert fault(refused) == (409, "idempotency_key_reused", "Idempotency-Key")
        assert ask("GET", "/meters/calls").json()["archived_at"] is None

    def test_is_for_one_api_key(self, client):
        def send(key):
            return client.post(
                "/api/v1/customers",
                json.dumps(ACME),
                content_type="application/json",
                headers={"authorization": f"Bearer {key}", "idempotency-key": "k-1"},
            )

        assert send(new_key("manage")).status_code == 201
        assert fault(send(new_key("manage")))[:2] == (409, "customer_key_taken")

    @pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
    def test_is_short_and_plain(self, ask, key):
        refused = ask("POST", "/customers", ACME, idempotency_key=key)
        assert fault(refused) == (400, "idempotency_key_invalid", "Idempotency-Key")
        assert not Customer.objects.exists()

    def test_may_have_255_characters(self, ask):
        assert ask("POST", "/customers", ACME, idempotency_key="x" * 255).status_code == 201

    def test_of_a_request_that_was_refused_may_be_used_again(self, ask):
        assert ask("POST", "/customers", {**ACME, "name": 7}, idempotency_key="k-1").status_code == 400
        assert ask("POST", "/customers", ACME, idempotency_key="k-1").status_code == 201

    def test_opens_nothing_to_a_key_without_the_scope(self, ask):
        refused = ask("POST", "/customers", ACME, scopes=("read",), idempotency_key="k-1")
        assert refused.status_code == 403
        assert not IdempotencyRecord.objects.exists()

    def test_of_a_body_too_large_to_be_read_is_refused(self, ask):
        body = json.dumps({**ACME, "address": "x" * 3_000_000})
        assert ask("POST", "/customers", body, idempotency_key="k-1").status_code == 413


@pytest.mark.django_db
class TestRecord:
    @pytest.mark.parametrize(
        "act", ["update billing_idempotencyrecord set answer = ''", "delete from billing_idempotencyrecord"]
    )
    def test_is_never_changed(self, ask, act):
        ask("POST", "/customers", ACME, idempotency_key="k-1")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(act)

    def test_is_not_left_by_an_effect_that_failed(self, client, monkeypatch):
        """The effect is done and its answer being made when the fault comes: neither may stay."""
        key = new_key("manage")

        def send():
            return client.post(
                "/api/v1/customers",
                json.dumps(ACME),
                content_type="application/json",
                headers={"authorization": f"Bearer {key}", "idempotency-key": "k-1"},
            )

        def fail(customer):
            assert Customer.objects.filter(pk=customer.pk).exists()
            raise RuntimeError("the machine is on fire")

        with monkeypatch.context() as broken:
            broken.setattr(customers, "shown", fail)
            assert fault(send())[:2] == (500, "failed")
        assert (Customer.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)
        assert send().status_code == 201

    def test_is_what_the_effect_stands_or_falls_with(self, client, monkeypatch):
        key = new_key("manage")

        def fail(*_args, **_kwargs):
            raise DatabaseError("disk full")

        monkeypatch.setattr(IdempotencyRecord, "save", fail)
        answer = client.post(
            "/api/v1/customers",
            json.dumps(ACME),
            content_type="application/json",
            headers={"authorization": f"Bearer {key}", "idempotency-key": "k-1"},
        )
        assert answer.status_code == 500
        assert not Customer.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    THREADS = 6

    def test_one_request_has_the_effect_and_the_others_its_answer(self):
        key = new_key("manage")
        together = threading.Barrier(self.THREADS)

        def send(_):
            try:
                together.wait(timeout=20)
                for _attempt in range(200):
                    answer = Client().post(
                        "/api/v1/customers",
                        json.dumps(ACME),
                        content_type="application/json",
                        headers={"authorization": f"Bearer {key}", "idempotency-key": "k-1"},
                    )
                    if answer.status_code != 409:
                        return answer
                    assert answer.json()["code"] == "idempotency_key_running"
                    assert answer["Retry-After"] == "1"
                raise AssertionError("the first request never ended")
            finally:
                connection.close()

        with ThreadPoolExecutor(self.THREADS) as threads:
            answers = list(threads.map(send, range(self.THREADS)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
        assert (Customer.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)

    def test_a_request_is_told_to_come_again_while_the_first_runs(self):
        """The first request is inside its transaction, in the middle of its effect."""
        key, began, may_end = new_key("manage"), threading.Event(), threading.Event()
        usual = customers.registering.customer

        def slow(**values):
            began.set()
            assert may_end.wait(timeout=20)
            return usual(**values)

        def send():
            try:
                return Client().post(
                    "/api/v1/customers",
                    json.dumps(ACME),
                    content_type="application/json",
                    headers={"authorization": f"Bearer {key}", "idempotency-key": "k-1"},
                )
            finally:
                connection.close()

        with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(1) as threads:
            patched.setattr(customers.registering, "customer", slow)
            first = threads.submit(send)
            assert began.wait(timeout=20)
            second = send()
            may_end.set()
            assert first.result().status_code == 201
        assert fault(second) == (409, "idempotency_key_running", "Idempotency-Key")
        assert second["Retry-After"] == str(idempotency.RETRY_AFTER_S)
        assert send().content == first.result().content


class TestPosts:
    def test_take_a_key_wherever_they_have_an_effect(self):
        """A view that is added later cannot forget it."""
        forgotten = {
            pattern.name
            for resolver in get_resolver().url_patterns
            if str(resolver.pattern) == "api/v1/" and hasattr(resolver, "url_patterns")
            for pattern in resolver.url_patterns
            if hasattr(pattern.callback.cls, "post")
            and not getattr(pattern.callback.cls.post, "happens_once", False)
        }
        assert forgotten == WITHOUT_EFFECT
