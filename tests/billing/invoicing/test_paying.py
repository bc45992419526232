from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing.invoicing import crediting, paying, voiding
from billing.models import Invoice, Payment
from tests.world import catalog, invoices

pytestmark = pytest.mark.django_db

NOW = catalog.IN_NOVEMBER


@pytest.fixture
def invoice(db):
    """100.00 without tax."""
    catalog.seller()
    catalog.gpu_hours()
    return invoices.finalized(catalog.subscription(catalog.customer("acme"), catalog.plan()), "100.00")


def pay(invoice, amount, received_at=NOW):
    return paying.record(
        invoice=invoice,
        amount=Decimal(amount),
        received_at=received_at,
        reference="transfer 7",
        at=NOW,
        by="ann",
    )


def standing():
    now = paying.standing(invoice=Invoice.objects.get())
    return {"due": str(now.due), "paid": str(now.paid), "overpaid": str(now.overpaid)}


class TestRecord:
    def test_keeps_what_came_in_and_who_wrote_it_down(self, invoice):
        pay(invoice, "40.00", received_at=NOW - timedelta(days=1))
        payment = Payment.objects.get()
        assert (payment.amount, payment.received_at) == (Decimal("40.00"), NOW - timedelta(days=1))
        assert (payment.reference, payment.recorded_at, payment.recorded_by) == ("transfer 7", NOW, "ann")

    def test_leaves_the_rest_due(self, invoice):
        pay(invoice, "40.00")
        assert Invoice.objects.get().state == "FINALIZED"
        assert standing() == {"due": "60.00", "paid": "40.00", "overpaid": "0.00"}
        assert paying.standing(invoice=invoice).is_part_paid

    def test_settles_the_invoice_with_the_last_part(self, invoice):
        pay(invoice, "40.00")
        pay(invoice, "60.00")
        assert Invoice.objects.get().state == "PAID"
        assert standing() == {"due": "0.00", "paid": "100.00", "overpaid": "0.00"}
        assert not paying.standing(invoice=invoice).is_part_paid

    def test_settles_it_together_with_a_credit_note(self, invoice):
        crediting.credit_amount(invoice=invoice, amount=Decimal("30.00"), reason="Outage", at=NOW)
        with pytest.raises(paying.PaymentMoreThanDue, match=r"only 70\.00 USD are due, not 70\.01"):
            pay(invoice, "70.01")
        pay(invoice, "70.00")
        assert Invoice.objects.get().state == "PAID"

    def test_refuses_more_than_is_due(self, invoice):
        with pytest.raises(paying.PaymentMoreThanDue, match=r"only 100\.00 USD are due"):
            pay(invoice, "100.01")
        assert Payment.objects.count() == 0

    def test_takes_money_that_went_back_as_a_negative_amount(self, invoice):
        pay(invoice, "100.00")
        pay(invoice, "-100.00")
        assert Invoice.objects.get().state == "FINALIZED"
        assert standing() == {"due": "100.00", "paid": "0.00", "overpaid": "0.00"}

    def test_refuses_to_send_back_more_than_came_in(self, invoice):
        pay(invoice, "40.00")
        with pytest.raises(paying.RefundMoreThanPaid, match=r"Only 40\.00 USD came in"):
            pay(invoice, "-40.01")

    @pytest.mark.parametrize("amount", ["0", "0.001"])
    def test_refuses_an_amount_that_is_none(self, invoice, amount):
        with pytest.raises(paying.PaymentAmountInvalid, match="other than zero with at most 2"):
            pay(invoice, amount)

    def test_refuses_what_was_not_received_yet(self, invoice):
        with pytest.raises(paying.PaymentFromTheFuture):
            pay(invoice, "1.00", received_at=NOW + timedelta(seconds=1))

    def test_refuses_a_void_invoice(self, invoice):
        voiding.void(invoice=invoice, at=NOW)
        with pytest.raises(paying.InvoiceNotPayable, match="INV-000001 is void"):
            pay(invoice, "1.00")


class TestStanding:
    def test_shows_what_is_owed_to_the_customer_after_a_credit_note(self, invoice):
        pay(invoice, "100.00")
        crediting.credit_amount(invoice=invoice, amount=Decimal("30.00"), reason="Outage", at=NOW)
        assert Invoice.objects.get().state == "PAID"
        assert standing() == {"due": "0.00", "paid": "100.00", "overpaid": "30.00"}
        pay(invoice, "-30.00")
        assert Invoice.objects.get().state == "PAID"
        assert standing() == {"due": "0.00", "paid": "70.00", "overpaid": "0.00"}

    def test_of_many_invoices_takes_two_statements(self, invoice, django_assert_num_queries):
        with django_assert_num_queries(2):
            found = paying.standings(invoices=[invoice])
        assert found[invoice.pk].due == Decimal("100.00")


class TestCheckVoidable:
    def test_refuses_an_invoice_that_money_came_in_for(self, invoice):
        pay(invoice, "1.00")
        with pytest.raises(paying.InvoicePaidFor, match="Write a credit note"):
            voiding.void(invoice=invoice, at=NOW)

    def test_refuses_an_invoice_with_a_credit_note(self, invoice):
        crediting.credit_amount(invoice=invoice, amount=Decimal("1.00"), reason="Outage", at=NOW)
        with pytest.raises(paying.InvoiceCredited, match="Credit the rest"):
            voiding.void(invoice=invoice, at=NOW)

    def test_lets_others_pass(self, invoice):
        paying.check_voidable(invoice=invoice)


class TestPayment:
    @pytest.mark.parametrize(
        "statement", ["update billing_payment set amount = 1", "delete from billing_payment"]
    )
    def test_refuses_changes_by_raw_sql(self, invoice, statement):
        pay(invoice, "40.00")
        with pytest.raises(IntegrityError, match="append-only"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)

    def test_refuses_truncate(self, invoice):
        pay(invoice, "40.00")
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("set local meterbook.allow_truncate = 'off'")
            with pytest.raises(IntegrityError, match="TRUNCATE of billing_payment refused"):
                with transaction.atomic():
                    cursor.execute("truncate billing_payment")
            cursor.execute("set local meterbook.allow_truncate = 'on'")

    def test_of_a_void_invoice_is_refused_by_the_database(self, invoice):
        voiding.void(invoice=invoice, at=NOW)
        with pytest.raises(IntegrityError, match="invoice INV-000001 is VOID"):
            with transaction.atomic():
                Payment.objects.create(
                    invoice=invoice, amount=Decimal(1), received_at=NOW, recorded_at=NOW, recorded_by="ann"
                )
