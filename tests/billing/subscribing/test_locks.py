"""Contracts change one after the other: every verb waits for the customer, and a plan waits for the verbs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from threading import Event, Thread

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import publishing, subscribing
from billing.models import Customer
from billing.subscribing import locks
from tests.world import catalog

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 10, 11, tzinfo=UTC)
LOCK_TIMEOUT_MS = 50


@contextmanager
def holding(take) -> Iterator[None]:
    """Another transaction, which holds the locks that ``take`` takes."""
    is_held, is_done = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                take()
                is_held.set()
                assert is_done.wait(30)
        finally:
            connection.close()

    thread = Thread(target=hold)
    thread.start()
    try:
        assert is_held.wait(30)
        yield
    finally:
        is_done.set()
        thread.join()


def waits(verb) -> bool:
    """Whether the verb waits for a lock, longer than we do."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS}")
            verb()
            transaction.set_rollback(True)
    except OperationalError as error:
        return "lock timeout" in str(error)
    return False


class TestLocks:
    def test_of_a_customer_keep_every_verb_waiting(self):
        acme, beta = catalog.customer("acme"), catalog.customer("beta")
        seats, more = (catalog.plan(catalog.fee("seats"), code=code) for code in ("seats", "more"))
        contract = catalog.subscription(acme, seats)
        verbs = {
            "subscribe": lambda: subscribing.subscribe(
                customer=acme, plan=seats, key="new", start_at=AT, at=AT
            ),
            "change_plan": lambda: subscribing.change_plan(subscription=contract, plan=more, effective_at=AT),
            "change_quantity": lambda: subscribing.change_quantity(
                subscription=contract, component="seats", quantity="2", effective_at=AT
            ),
            "cancel": lambda: subscribing.cancel(subscription=contract, end_at=AT),
            "pause": lambda: subscribing.pause(subscription=contract, effective_at=AT),
            "change_timezone": lambda: subscribing.change_timezone(
                customer=acme, timezone="Asia/Tokyo", at=AT
            ),
            "change_anchor": lambda: subscribing.change_anchor(
                subscription=contract, anchor_date=date(2026, 10, 15), at=AT
            ),
            "assign_subject": lambda: subscribing.assign_subject(
                customer=acme, subject="new", validity=DateTimeTZRange(AT, None)
            ),
            "move_subject": lambda: subscribing.move_subject(subject="acme", customer=beta, effective_at=AT),
            "merge": lambda: subscribing.merge(customer=acme, into=beta, effective_at=AT),
        }
        assert [name for name, verb in verbs.items() if waits(verb)] == []
        with holding(lambda: Customer.objects.select_for_update(no_key=True).get(pk=acme.pk)):
            assert [name for name, verb in verbs.items() if not waits(verb)] == []

    def test_of_a_changing_subscription_keep_its_plan_from_being_published(self):
        acme = catalog.customer("acme")
        contract = catalog.subscription(acme, catalog.plan(catalog.fee("seats"), code="seats"))
        dearer = catalog.document(catalog.fee("seats", "62"), code="seats")
        with holding(lambda: locks.subscription(subscription_id=contract.pk)):
            assert waits(lambda: publishing.apply(document=dearer, at=AT))
        assert not waits(lambda: publishing.apply(document=dearer, at=AT))
