from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing.invoicing import drafting, finalizing, running, voiding
from billing.models import Invoice
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER


@pytest.fixture
def subscription(db):
    catalog.gpu_hours()
    catalog.seller()
    return catalog.subscription(catalog.customer("acme"), catalog.plan())


@pytest.fixture
def invoice(subscription):
    catalog.run_gpus("acme", OCTOBER.start, 4)
    [made] = running.run(as_of=NOW, at=NOW).finalized
    return made


def void(invoice):
    return voiding.void(invoice=invoice, at=NOW)


class TestVoid:
    def test_keeps_number_and_amounts(self, invoice):
        void(invoice)
        stored = Invoice.objects.get()
        assert (stored.state, stored.number, stored.total) == ("VOID", "INV-000001", Decimal("10.00"))
        assert stored.voided_at == NOW
        assert stored.service_periods.get().is_void

    def test_frees_the_period_for_a_new_invoice(self, invoice, subscription):
        void(invoice)
        catalog.run_gpus("acme", OCTOBER.start, 2)
        draft = drafting.draft(subscription=subscription, period=OCTOBER, at=NOW)
        again = finalizing.finalize(invoice=draft, at=NOW)
        assert (again.number, again.total) == ("INV-000002", Decimal("15.00"))

    def test_makes_no_new_invoice_by_itself(self, invoice):
        void(invoice)
        assert running.run(as_of=NOW, at=NOW).is_empty

    @pytest.mark.parametrize(
        "statement",
        [
            "update billing_invoice set state = 'FINALIZED'",
            "update billing_serviceperiod set is_void = false",
        ],
    )
    def test_is_for_ever(self, invoice, statement):
        void(invoice)
        with transaction.atomic(), connection.cursor() as cursor:
            with pytest.raises(IntegrityError, match="refused"):
                cursor.execute(statement)
            transaction.set_rollback(True)

    def test_refuses_a_second_time(self, invoice):
        void(invoice)
        with pytest.raises(voiding.InvoiceAlreadyVoid, match="INV-000001"):
            void(invoice)

    def test_refuses_a_draft(self, subscription):
        draft = drafting.draft(subscription=subscription, period=OCTOBER, at=NOW)
        with pytest.raises(voiding.InvoiceNotFinalized):
            void(draft)

    def test_refuses_what_is_paid(self, invoice):
        Invoice.objects.update(state="PAID")
        with pytest.raises(voiding.InvoicePaid):
            void(invoice)


class TestReissue:
    def test_drafts_the_same_periods_from_usage_of_now(self, invoice):
        void(invoice)
        catalog.run_gpus("acme", OCTOBER.start, 2)
        draft = voiding.reissue(invoice=invoice, at=NOW)
        assert (draft.state, draft.replaces, draft.total) == ("DRAFT", invoice, Decimal("15.00"))
        [again] = running.run(as_of=NOW, at=NOW).finalized
        assert (again.pk, again.number, again.replaces) == (draft.pk, "INV-000002", invoice)

    def test_follows_the_contract_of_now(self, invoice, subscription):
        void(invoice)
        dearer = catalog.component(unit_amount="5")
        catalog.plan(dearer, at=NOW, effective_at="2026-10-01T00:00:00Z", migration="AT_ONCE")
        assert voiding.reissue(invoice=invoice, at=NOW).total == Decimal("20.00")

    def test_settles_fees_that_stand_in_advance(self, db):
        catalog.gpu_hours()
        catalog.seller()
        seat = catalog.fee("seat", timing="IN_ADVANCE")
        catalog.subscription(catalog.customer("acme"), catalog.plan(catalog.component(), seat))
        _in_advance, in_arrears = running.run(as_of=NOW, at=NOW).finalized
        void(in_arrears)
        again = voiding.reissue(invoice=in_arrears, at=NOW)
        # October's fee stands on the invoice of 1 October, November's comes again
        assert [(each.part, each.total) for each in again.service_periods.order_by("pk")] == [
            ("ARREARS", Decimal("0.00")),
            ("ADVANCE", Decimal("31.00")),
        ]

    def test_is_for_void_invoices(self, invoice):
        with pytest.raises(voiding.InvoiceNotVoid, match="INV-000001 is finalized: void it first"):
            voiding.reissue(invoice=invoice, at=NOW)

    def test_is_done_once(self, invoice):
        void(invoice)
        voiding.reissue(invoice=invoice, at=NOW)
        with pytest.raises(voiding.InvoiceAlreadyReplaced, match="INV-000001"):
            voiding.reissue(invoice=invoice, at=NOW)

    def test_may_be_done_again_where_the_replacement_was_void_too(self, invoice):
        void(invoice)
        second = finalizing.finalize(invoice=voiding.reissue(invoice=invoice, at=NOW), at=NOW)
        void(second)
        third = finalizing.finalize(invoice=voiding.reissue(invoice=second, at=NOW), at=NOW)
        assert (third.number, third.replaces) == ("INV-000003", second)

    def test_leaves_periods_alone_that_were_drafted_by_hand(self, invoice, subscription):
        void(invoice)
        drafting.draft(subscription=subscription, period=OCTOBER, at=NOW)
        with pytest.raises(drafting.PeriodAlreadyInvoiced):
            voiding.reissue(invoice=invoice, at=NOW)
        assert Invoice.objects.filter(state="DRAFT").count() == 1
