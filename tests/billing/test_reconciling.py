from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection, transaction

from billing import reconciling
from billing.invoicing import adjusting, crediting, running, voiding
from billing.models import Invoice, Reconciliation
from metering import defining, rolling
from tests.world import catalog

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER
IN_DECEMBER = datetime(2026, 12, 2, 9, 30, tzinfo=UTC)


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
                "line 2 differs from its rating input in adjusts, amount",
            ),
            ("update billing_serviceperiod set total = 1", "its total is 1, its rating input gives 36.90"),
            ("update billing_serviceperiod set rating_sha256 = 'x'", "does not have the SHA-256"),
            ("update billing_serviceperiod set rating_input = 'x'", "cannot be decompressed"),
            (
                "update billing_invoice set subtotal = 5.10, total = 1",
                "its total before tax is 1, its periods add up to 36.90",
            ),
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


@pytest.mark.django_db
class TestAdjustedInvoices:
    def test_agree_once_late_usage_waits_for_the_next_invoice(self, invoice):
        late(2)
        assert len(differences()) == 2
        adjusting.run(at=NOW)
        assert differences() == []

    def test_agree_on_the_next_invoice_and_after_giving_back(self, invoice):
        late(2)
        adjusting.run(at=NOW)
        [november] = running.run(as_of=IN_DECEMBER, at=IN_DECEMBER).finalized
        assert november.total == Decimal("32.40")  # (31 + 5 of October) less 10 %
        assert differences() == []

    def test_show_an_adjustment_that_was_tampered_with(self, invoice):
        late(2)
        adjusting.run(at=NOW)
        running.run(as_of=IN_DECEMBER, at=IN_DECEMBER)
        tamper("update billing_invoiceline set amount = 6 where kind = 'adjustment'")
        found = differences()
        assert (
            "INV-000002 acme-gpu-cloud",
            "line 1 differs from its rating input in amount",
        ) in found
        assert (
            "INV-000001 acme-gpu-cloud",
            "gpu: invoiced 16.00, usage of today gives 15.00: 1.00 less is due",
        ) in found

    def test_show_a_credit_note_that_was_tampered_with(self, invoice):
        crediting.credit_amount(invoice=invoice, amount=Decimal("1.00"), reason="Outage", at=NOW)
        assert differences() == []
        tamper("update billing_creditnoteline set amount = 2")
        assert differences() == [("CN-000001", "its subtotal is 1.00, its lines add up to 2")]

    def test_show_an_invoice_that_counts_as_paid_and_is_not(self, invoice):
        tamper("update billing_invoice set state = 'PAID'")
        assert differences() == [("INV-000001", "it counts as paid, but 36.90 are not covered")]


@pytest.mark.django_db(transaction=True)
class TestRecord:
    def test_keeps_what_it_found(self, invoice):
        late(2)
        told = []
        row = reconciling.record(clock=lambda: NOW, tell=told.append)
        assert (row.started_at, row.ended_at, row.difference_count, row.failure) == (NOW, NOW, 2, "")
        assert row.differences[0] == {
            "where": "INV-000001 acme-gpu-cloud",
            "what": "gpu: invoiced 10.00, usage of today gives 15.00: 5.00 more is due",
        }
        assert len(told) == 2
        assert row.is_alarming
        assert reconciling.latest() == row

    def test_is_quiet_where_all_is_well(self, invoice):
        assert not reconciling.record(clock=lambda: NOW).is_alarming

    def test_keeps_why_it_broke_off(self, invoice):
        def fail(_difference):
            raise RuntimeError("no more")

        late(2)
        with pytest.raises(RuntimeError):
            reconciling.record(clock=lambda: NOW, tell=fail)
        row = Reconciliation.objects.get()
        assert (row.ended_at, row.failure, row.is_alarming) == (None, "RuntimeError: no more", True)
        assert reconciling.latest() == row


def late(hours):
    catalog.run_gpus("acme", datetime(2026, 10, 20, tzinfo=UTC), hours)
    rolling.roll_up(limit=10, at=NOW)
