from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing import reconciling
from billing.invoicing import running, voiding
from billing.models import Invoice
from metering import defining, rolling
from tests.world import catalog

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER


def differences():
    return [(each.where, each.what) for each in reconciling.invoices(at=NOW)]


def tamper(statement):
    """Changes a frozen row as only the owner of the tables can: with the guards off."""
    table = statement.removeprefix("update ").removeprefix("delete from ").split()[0]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute(f"alter table {table} disable trigger user")
        cursor.execute(statement)
        cursor.execute(f"alter table {table} enable trigger user")


@pytest.fixture
def invoice(db):
    catalog.seller()
    catalog.gpu_hours()
    plan = catalog.plan(catalog.component(), catalog.fee(), discounts=[{"percent": "10", "name": "Launch"}])
    catalog.subscription(catalog.customer("acme"), plan)
    catalog.run_gpus("acme", datetime(2026, 10, 4, 0, 20, tzinfo=UTC), 4)
    [made] = running.run(as_of=NOW, at=NOW).finalized
    return made


@pytest.mark.django_db
class TestInvoices:
    def test_agree_with_what_they_were_rated_from_and_with_usage(self, invoice):
        assert invoice.total == Decimal("36.90")  # (10 + 31) less 10 %
        assert differences() == []

    def test_show_what_is_due_since_usage_came_late(self, invoice):
        catalog.run_gpus("acme", datetime(2026, 10, 20, tzinfo=UTC), 2)
        assert differences() == [
            (
                "INV-000001 acme-gpu-cloud",
                "gpu: invoiced 10.00, usage of today gives 15.00: 5.00 more is due",
            ),
            (
                "INV-000001 acme-gpu-cloud",
                "the discounts: invoiced -4.10, usage of today gives -4.60: 0.50 less is due",
            ),
        ]

    @pytest.mark.parametrize(
        ("statement", "words"),
        [
            (
                "update billing_invoiceline set amount = 11 where position = 1",
                "line 1 differs from its rating input in amount",
            ),
            (
                "update billing_invoiceline set steps = '[]' where position = 2",
                "line 2 differs from its rating input in steps",
            ),
            (
                "delete from billing_invoiceline where position = 2",
                "line 2 differs from its rating input in amount",
            ),
            ("update billing_serviceperiod set total = 1", "its total is 1, its rating input gives 36.90"),
            ("update billing_serviceperiod set rating_sha256 = 'x'", "does not have the SHA-256"),
            ("update billing_serviceperiod set rating_input = 'x'", "cannot be decompressed"),
            ("update billing_invoice set total = 1", "its total is 1, its periods add up to 36.90"),
        ],
    )
    def test_show_what_was_tampered_with(self, invoice, statement, words):
        tamper(statement)
        assert any(words in what for _, what in differences())

    def test_that_are_void_owe_nothing_but_must_still_add_up(self, invoice):
        voiding.void(invoice=invoice, at=NOW)
        catalog.run_gpus("acme", datetime(2026, 10, 20, tzinfo=UTC), 2)
        assert differences() == []
        tamper("update billing_invoiceline set amount = 11 where position = 1")
        assert len(differences()) == 1

    def test_that_are_drafts_are_left_alone(self, db):
        catalog.gpu_hours()
        catalog.seller()
        plan = catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        catalog.subscription(catalog.customer("acme"), plan)
        catalog.run_gpus("acme", OCTOBER.start, 1, gpu_type="B200")
        running.run(as_of=NOW, at=NOW)
        assert Invoice.objects.get().state == "DRAFT"
        assert differences() == []


@pytest.mark.django_db(transaction=True)
class TestUsageBuckets:
    def test_agree_with_the_events(self):
        catalog.gpu_hours()
        catalog.run_gpus("acme", OCTOBER.start, 1)
        rolling.roll_up(limit=10, at=NOW)
        assert list(reconciling.usage_buckets(at=NOW)) == []

    def test_show_a_quantity_that_no_event_explains(self):
        catalog.gpu_hours()
        catalog.run_gpus("acme", OCTOBER.start, 1)
        rolling.roll_up(limit=10, at=NOW)
        with connection.cursor() as cursor:
            cursor.execute(
                "update metering_usagebucket set quantity = quantity + 1 where start = %s", [OCTOBER.start]
            )
        [difference] = reconciling.usage_buckets(at=NOW)
        assert difference.where == "meter gpu_hours"
        # a quarter hour in microseconds, and one too many
        assert (
            "acme {'gpu_type': 'H100'} at 2026-10-01T00:00:00Z: stored 900000001 of 0 events"
            in difference.what
        )

    def test_show_a_value_that_no_event_brought(self):
        defining.apply(
            document={
                "slug": "gpu_types",
                "name": "Kinds of GPU in use",
                "event_type": "gpu.usage",
                "aggregation": "UNIQUE",
                "value": "gpu_type",
            },
            at=NOW,
        )
        catalog.run_gpus("acme", OCTOBER.start, 1)
        rolling.roll_up(limit=10, at=NOW)
        assert list(reconciling.usage_buckets(at=NOW)) == []
        with connection.cursor() as cursor:
            cursor.execute("delete from metering_usagevalue")
        [difference] = reconciling.usage_buckets(at=NOW)
        assert difference.what == "0 more buckets, 0 intervals and 1 values differ from the events"
