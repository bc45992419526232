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
