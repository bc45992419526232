"""What of a customer falls due at the same instant comes on one invoice."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing import subscribing
from billing.invoicing import drafting, finalizing, running
from billing.models import Invoice
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER


def run(at=NOW):
    return running.run(as_of=at, at=at)


@pytest.fixture
def acme(db):
    catalog.gpu_hours()
    catalog.seller()
    return catalog.customer("acme")


@pytest.fixture
def gpus(acme):
    subscription = catalog.subscription(acme, catalog.plan(discounts=[{"percent": "10", "name": "Launch"}]))
    catalog.run_gpus("acme", OCTOBER.start, 4)
    return subscription


@pytest.fixture
def support(acme):
    return catalog.subscription(acme, catalog.plan(catalog.fee(), code="support"), subject="none")


def periods(invoice):
    return [(each.subscription.key, each.total) for each in invoice.service_periods.order_by("pk")]


class TestSeveralSubscriptions:
    def test_of_a_customer_come_on_one_invoice(self, gpus, support):
        [invoice] = run().finalized
        assert periods(invoice) == [
            ("acme-gpu-cloud", Decimal("9.00")),
            ("acme-support", Decimal("31.00")),
        ]
        assert (invoice.subtotal, invoice.discount_total, invoice.total) == (
            Decimal("41.00"),
            Decimal("1.00"),
            Decimal("40.00"),
        )

    def test_of_different_customers_never_do(self, gpus):
        other = catalog.customer("other")
        catalog.subscription(other, catalog.plan(catalog.fee(), code="support"))
        assert [len(invoice.service_periods.all()) for invoice in run().finalized] == [1, 1]

    def test_that_end_at_different_instants_have_invoices_of_their_own(self, gpus, support):
        subscribing.cancel(subscription=support, end_at=datetime(2026, 10, 17, tzinfo=UTC))
        assert [periods(invoice) for invoice in run().finalized] == [
            [("acme-support", Decimal("16.00"))],  # 16 of 31 days
            [("acme-gpu-cloud", Decimal("9.00"))],
        ]

    def test_share_their_fate_where_one_has_usage_without_a_price(self, acme, support):
        narrow = catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        catalog.subscription(acme, narrow)
        catalog.run_gpus("acme", OCTOBER.start, 1, gpu_type="B200")
        [draft] = run().blocked
        assert draft.blocked_reason.startswith("acme-gpu-cloud: no component")
        assert periods(draft) == [("acme-support", Decimal("31.00")), ("acme-gpu-cloud", Decimal("0"))]
        assert run().finalized == []

    def test_leave_out_what_was_invoiced_by_hand(self, gpus, support):
        by_hand = drafting.draft(subscription=gpus, period=OCTOBER, at=NOW)
        finalizing.finalize(invoice=by_hand, at=NOW)
        [invoice] = run().finalized
        assert periods(invoice) == [("acme-support", Decimal("31.00"))]
        assert Invoice.objects.count() == 2

    def test_wait_together_for_the_grace_period(self, acme, gpus, support):
        acme.grace_hours = 24
        acme.save()
        [draft] = run(OCTOBER.end).drafted
        assert [key for key, _ in periods(draft)] == ["acme-gpu-cloud", "acme-support"]
        [invoice] = run().finalized
        assert (invoice.pk, invoice.total) == (draft.pk, Decimal("40.00"))
