from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from billing.invoicing import drafting
from billing.models import Invoice, InvoiceLine
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER


@pytest.fixture
def acme(db):
    catalog.gpu_hours()
    return catalog.customer("acme")


def draft(subscription, period=OCTOBER, at=NOW):
    return drafting.draft(subscription=subscription, period=period, at=at)


class TestDraft:
    def test_has_the_lines_of_the_statement_with_their_steps(self, acme):
        plan = catalog.plan(catalog.component(name="GPU-hours"), catalog.fee(amount="31.00"))
        invoice = draft(catalog.subscription(acme, plan, subject="vc1"))
        assert (invoice.state, invoice.number, invoice.currency) == ("DRAFT", None, "USD")
        assert (invoice.subtotal, invoice.discount_total, invoice.total) == (
            Decimal(31),
            Decimal(0),
            Decimal(31),
        )
        [period] = invoice.service_periods.all()
        assert (period.start_at, period.end_at, period.total) == (OCTOBER.start, OCTOBER.end, Decimal(31))
        gpu, fee = period.lines.all()
        assert (gpu.position, gpu.component, gpu.kind, gpu.name, gpu.mode) == (
            1,
            "gpu",
            "usage",
            "GPU-hours",
            "RESOURCE",
        )
        assert (gpu.quantity, gpu.unit, gpu.amount) == ("0", "GPU-hour", Decimal(0))
        assert (fee.position, fee.component, fee.kind, fee.amount) == (2, "fee", "fixed", Decimal(31))
        assert fee.steps[0]["amount"] == "31"

    def test_says_thirds_exactly(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(catalog.component(unit_amount="1")))
        catalog.run_gpus("acme", datetime(2026, 10, 31, 23, 40, tzinfo=UTC), 1)
        [line] = draft(subscription).service_periods.get().lines.all()
        assert (line.quantity, line.quantity_exact) == ("0.333333333333", "1/3")
        assert (line.amount, line.unrounded_exact) == (Decimal("0.33"), "1/3")

    def test_keeps_the_discounts_of_the_plan(self, acme):
        plan = catalog.plan(catalog.fee(amount="100"), discounts=[{"percent": "10", "name": "Launch"}])
        invoice = draft(catalog.subscription(acme, plan))
        assert (invoice.subtotal, invoice.discount_total, invoice.total) == (
            Decimal(100),
            Decimal(10),
            Decimal(90),
        )
        assert invoice.service_periods.get().discounts == [
            {"name": "Launch", "percent": "10", "amount": "10.00"}
        ]

    def test_is_made_once_for_a_period(self, acme):
        subscription = catalog.subscription(acme, catalog.plan())
        draft(subscription)
        with pytest.raises(drafting.PeriodAlreadyInvoiced, match="acme-gpu-cloud"):
            draft(subscription)
        assert Invoice.objects.count() == 1

    def test_waits_for_the_end_of_the_period(self, acme):
        subscription = catalog.subscription(acme, catalog.plan())
        with pytest.raises(drafting.PeriodNotEnded, match="2026-11-01"):
            draft(subscription, at=datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC))
        assert draft(subscription, at=OCTOBER.end).pk

    def test_says_why_its_amounts_cannot_be_computed(self, acme):
        plan = catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        subscription = catalog.subscription(acme, plan)
        catalog.run_gpus("acme", OCTOBER.start + timedelta(days=3), 1, gpu_type="B200")
        catalog.run_gpus("acme", OCTOBER.start + timedelta(days=7), 1, gpu_type="B200")
        invoice = draft(subscription)
        assert invoice.blocked_reason == (
            "acme-gpu-cloud: no component of gpu-cloud prices gpu_hours with gpu_type=B200 "
            "(2 events, 2026-10-04 to 2026-10-08)"
        )
        assert (invoice.total, InvoiceLine.objects.count()) == (Decimal(0), 0)


class TestRedraft:
    def test_follows_live_usage(self, acme):
        subscription = catalog.subscription(acme, catalog.plan())
        invoice = draft(subscription)
        catalog.run_gpus("acme", OCTOBER.start, 4)
        drafting.redraft(invoice=invoice, at=NOW)
        invoice.refresh_from_db()
        assert invoice.total == Decimal("10.00")
        assert [line.amount for line in InvoiceLine.objects.all()] == [Decimal("10.00")]

    def test_takes_the_reason_away_once_the_usage_has_a_price(self, acme):
        subscription = catalog.subscription(
            acme, catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        )
        catalog.run_gpus("acme", OCTOBER.start, 1, gpu_type="B200")
        invoice = draft(subscription)
        catalog.plan(catalog.component(), effective_at="2026-10-01T00:00:00Z", migration="AT_ONCE", at=NOW)
        drafting.redraft(invoice=invoice, at=NOW)
        assert (invoice.blocked_reason, invoice.total) == ("", Decimal("2.50"))


class TestServicePeriod:
    def test_is_invoiced_once_for_a_start_part_and_sequence_whatever_writes_it(self, acme):
        invoice = draft(catalog.subscription(acme, catalog.plan()))
        period = invoice.service_periods.get()
        period.pk = None
        with pytest.raises(IntegrityError, match="service_period_is_invoiced_once"), transaction.atomic():
            period.save()
        period.sequence = 2
        period.save()
        assert invoice.service_periods.count() == 2
