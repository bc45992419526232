from decimal import Decimal

import pytest
import time_machine

from billing import tasks
from billing.invoicing import claiming, running
from billing.models import Invoice, Reconciliation
from config.celery import app
from metering import rolling
from tests.world import catalog


@pytest.mark.django_db
class TestInvoiceDueSubscriptions:
    def test_bills_what_has_ended_once_however_often_it_runs(self):
        catalog.seller()
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        catalog.run_gpus("acme", catalog.OCTOBER.start, 4)
        with time_machine.travel(catalog.IN_NOVEMBER, tick=False):
            tasks.invoice_due_subscriptions()
            tasks.invoice_due_subscriptions()
        assert list(Invoice.objects.values_list("number", "total")) == [("INV-000001", Decimal("10.00"))]

    def test_is_what_the_beat_calls(self):
        app.loader.import_default_modules()
        scheduled = app.conf.beat_schedule["invoice-run"]["task"]
        assert app.tasks[scheduled].name == tasks.invoice_due_subscriptions.name


@pytest.mark.django_db
class TestBillChunks:
    @pytest.fixture
    def run(self):
        """A run over three customers, in chunks of one."""
        catalog.seller()
        catalog.gpu_hours()
        plan = catalog.plan()
        for n in range(3):
            catalog.subscription(catalog.customer(f"c{n}"), plan)
        return running.start(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)

    def test_does_what_is_left_of_a_run_and_ends_it(self, run):
        with time_machine.travel(catalog.IN_NOVEMBER, tick=False):
            tasks.bill_chunks(run_id=run.pk)
        run.refresh_from_db()
        assert (run.state, run.finalized, run.ended_at) == ("DONE", 3, catalog.IN_NOVEMBER)

    def test_has_itself_called_again_when_its_time_is_up(self, run, monkeypatch):
        called = []
        monkeypatch.setattr(claiming, "CUSTOMERS_MAX", 1)
        monkeypatch.setattr(tasks, "SECONDS_MAX", -1)
        monkeypatch.setattr(tasks.waking, "bill", lambda *, run_id: called.append(run_id))
        with time_machine.travel(catalog.IN_NOVEMBER, tick=False):
            tasks.bill_chunks(run_id=run.pk)
        run.refresh_from_db()
        assert (run.state, run.finalized, called) == ("RUNNING", 1, [run.pk])

    def test_leaves_a_run_alone_that_has_ended(self, run):
        running.end(run=run, at=catalog.IN_NOVEMBER)
        tasks.bill_chunks(run_id=run.pk)
        assert not Invoice.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestReconcile:
    def test_adjusts_late_usage_and_then_finds_no_difference(self):
        catalog.seller()
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        catalog.run_gpus("acme", catalog.OCTOBER.start, 4)
        rolling.roll_up(limit=10, at=catalog.IN_NOVEMBER)
        with time_machine.travel(catalog.IN_NOVEMBER, tick=False):
            tasks.invoice_due_subscriptions()
            catalog.run_gpus("acme", catalog.OCTOBER.start, 2)
            rolling.roll_up(limit=10, at=catalog.IN_NOVEMBER)
            tasks.reconcile()
        waiting = Invoice.objects.get(state="DRAFT")
        assert waiting.total == Decimal("5.00")
        row = Reconciliation.objects.get()
        assert (row.difference_count, row.ended_at) == (0, catalog.IN_NOVEMBER)

    @pytest.mark.parametrize("entry", ["adjustments", "reconcile"])
    def test_is_what_the_beat_calls(self, entry):
        app.loader.import_default_modules()
        assert app.conf.beat_schedule[entry]["task"] in app.tasks
