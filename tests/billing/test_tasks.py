from decimal import Decimal

import pytest
import time_machine

from billing import tasks
from billing.models import Invoice
from config.celery import app
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
