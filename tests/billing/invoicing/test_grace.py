"""Drafts wait for the customer's grace period, and follow usage and contracts until it is over."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from billing import taxing
from billing.invoicing import drafting, finalizing, running
from billing.models import Customer, Invoice, InvoiceLine, Seller
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER = catalog.OCTOBER
DAY_LATER, TWO_DAYS_LATER = OCTOBER.end + timedelta(days=1), OCTOBER.end + timedelta(days=2)


def run(at, as_of=None):
    return running.run(as_of=as_of or at, at=at)


@pytest.fixture
def acme(db):
    catalog.gpu_hours()
    catalog.seller(grace_hours=48)
    customer = catalog.customer("acme")
    catalog.subscription(customer, catalog.plan())
    catalog.run_gpus("acme", OCTOBER.start, 4)
    return customer


@pytest.fixture
def draft(acme):
    [made] = run(OCTOBER.end).drafted
    return made


class TestGrace:
    def test_keeps_a_draft_from_being_finalized_until_it_is_over(self, draft):
        assert (draft.state, draft.finalize_at) == ("DRAFT", TWO_DAYS_LATER)
        assert run(TWO_DAYS_LATER - timedelta(microseconds=1)).finalized == []
        [invoice] = run(TWO_DAYS_LATER).finalized
        assert (invoice.pk, invoice.number, invoice.total) == (draft.pk, "INV-000001", Decimal("10.00"))

    def test_counts_from_the_instant_for_which_the_run_is(self, draft):
        assert run(TWO_DAYS_LATER, as_of=DAY_LATER).finalized == []

    def test_lets_late_usage_onto_the_invoice(self, draft):
        catalog.run_gpus("acme", datetime(2026, 10, 20, tzinfo=UTC), 2)
        [invoice] = run(TWO_DAYS_LATER).finalized
        assert invoice.total == Decimal("15.00")

    def test_of_the_customer_goes_before_the_sellers(self, acme):
        Customer.objects.update(grace_hours=0)
        assert len(run(OCTOBER.end).finalized) == 1

    def test_is_none_where_nobody_says_otherwise(self, acme):
        Seller.objects.update(grace_hours=0)
        assert len(run(OCTOBER.end).finalized) == 1

    def test_refuses_to_be_cut_short_by_hand(self, draft):
        with pytest.raises(finalizing.GraceNotOver, match=r"2026-11-03 00:00 UTC.*shorten"):
            finalizing.finalize(invoice=draft, at=DAY_LATER)
        assert Invoice.objects.get().state == "DRAFT"
        assert finalizing.finalize(invoice=draft, at=TWO_DAYS_LATER).state == "FINALIZED"

    def test_follows_what_is_agreed_with_the_customer_meanwhile(self, draft):
        Customer.objects.update(grace_hours=24)
        assert finalizing.finalize(invoice=draft, at=DAY_LATER).number == "INV-000001"


class TestRefreshing:
    def test_is_done_by_the_run_once_the_amounts_are_an_hour_old(self, draft):
        catalog.run_gpus("acme", datetime(2026, 10, 20, tzinfo=UTC), 2)
        run(OCTOBER.end + timedelta(minutes=59))
        assert Invoice.objects.get().total == Decimal("10.00")
        run(OCTOBER.end + timedelta(minutes=60))
        stored = Invoice.objects.get()
        assert (stored.state, stored.total) == ("DRAFT", Decimal("15.00"))
        assert stored.drafted_at == OCTOBER.end + timedelta(minutes=60)

    def test_may_be_asked_for_by_hand(self, draft):
        catalog.run_gpus("acme", datetime(2026, 10, 20, tzinfo=UTC), 2)
        assert drafting.refresh(invoice=draft, at=DAY_LATER).total == Decimal("15.00")
        assert InvoiceLine.objects.get().amount == Decimal("15.00")

    def test_keeps_the_rows_of_its_periods(self, draft):
        before = draft.service_periods.get()
        drafting.refresh(invoice=draft, at=DAY_LATER)
        assert draft.service_periods.get() == before

    def test_refuses_a_finalized_invoice(self, draft):
        finalizing.finalize(invoice=draft, at=TWO_DAYS_LATER)
        with pytest.raises(drafting.InvoiceNotDraft, match="INV-000001"):
            drafting.refresh(invoice=draft, at=TWO_DAYS_LATER)

    def test_takes_up_the_taxes_of_the_customer(self, draft, acme):
        vat = taxing.define_rate(code="vat", name="VAT 19 %", percent=Decimal(19))
        taxing.assign(customer=acme, rates=[vat])
        refreshed = drafting.refresh(invoice=draft, at=DAY_LATER)
        assert (refreshed.subtotal, refreshed.tax_total, refreshed.total) == (
            Decimal("10.00"),
            Decimal("1.90"),
            Decimal("11.90"),
        )
        assert refreshed.taxes == [
            {"name": "VAT 19 %", "percent": "19", "base": "10.00", "amount": "1.90", "note": ""}
        ]


class TestDiscard:
    def test_frees_the_period_for_another_draft(self, draft):
        subscription = draft.service_periods.get().subscription
        drafting.discard(invoice=draft)
        assert not Invoice.objects.exists()
        again = drafting.draft(subscription=subscription, period=OCTOBER, at=DAY_LATER)
        assert again.total == Decimal("10.00")

    def test_refuses_what_has_a_number(self, draft):
        finalizing.finalize(invoice=draft, at=TWO_DAYS_LATER)
        with pytest.raises(drafting.InvoiceNotDraft):
            drafting.discard(invoice=draft)


class TestDueDate:
    @pytest.mark.parametrize(
        ("of_seller", "of_customer", "due"),
        [
            (30, None, date(2026, 12, 3)),
            (14, None, date(2026, 11, 17)),
            (14, 60, date(2027, 1, 2)),
            (14, 0, date(2026, 11, 3)),
        ],
    )
    def test_is_the_customers_else_the_sellers_days_after_the_invoice(
        self, acme, of_seller, of_customer, due
    ):
        Seller.objects.update(due_days=of_seller)
        Customer.objects.update(due_days=of_customer)
        run(TWO_DAYS_LATER)
        assert Invoice.objects.get().due_date == due
