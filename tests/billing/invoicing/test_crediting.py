from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing.invoicing import crediting, voiding
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine, Seller
from tests.world import catalog, invoices

pytestmark = pytest.mark.django_db

NOW = catalog.IN_NOVEMBER


@pytest.fixture
def subscription(db):
    catalog.seller()
    catalog.gpu_hours()
    return catalog.subscription(catalog.customer("acme"), catalog.plan())


@pytest.fixture
def invoice(subscription):
    """(80 + 20) less 10, and 19 % of 90: 107.10."""
    return invoices.finalized(subscription, "80.00", "20.00", discount="10.00", rates=[invoices.VAT])


def credit(invoice, amount, reason="An outage on 3 October"):
    return crediting.credit_amount(invoice=invoice, amount=Decimal(amount), reason=reason, at=NOW)


def line(position=1):
    return InvoiceLine.objects.get(position=position)


class TestCreditAmount:
    def test_gives_back_the_amount_and_the_tax_on_it(self, invoice):
        credit(invoice, "50.00")
        note = CreditNote.objects.get()
        assert (note.number, note.invoice, note.customer.key) == ("CN-000001", invoice, "acme")
        assert (note.subtotal, note.tax_total, note.total) == (
            Decimal("50.00"),
            Decimal("9.50"),
            Decimal("59.50"),
        )
        assert note.taxes == [
            {"name": "VAT 19 %", "percent": "19", "base": "50.00", "amount": "9.50", "note": ""}
        ]
        assert (note.reason, note.issued_at, note.currency) == ("An outage on 3 October", NOW, "USD")
        assert (note.seller, note.buyer) == (invoice.seller, invoice.buyer)
        [only] = note.lines.all()
        assert (only.name, only.amount, only.service_period) == (
            "An outage on 3 October",
            Decimal("50.00"),
            None,
        )

    def test_answers_the_credit_note_as_it_is_stored(self, invoice):
        answered, stored = credit(invoice, "50.00"), CreditNote.objects.get()
        for column in CreditNote._meta.concrete_fields:
            assert getattr(answered, column.attname) == getattr(stored, column.attname)

    def test_gives_back_everything_in_parts_but_not_a_cent_more(self, invoice):
        for part in ("30.01", "30.01", "29.98"):
            credit(invoice, part)
        assert sum(note.total for note in CreditNote.objects.all()) == Decimal("107.10")
        with pytest.raises(crediting.CreditTooLarge, match=r"at most 0\.00 USD before tax"):
            credit(invoice, "0.01")

    def test_refuses_more_than_the_invoice_charged(self, invoice):
        with pytest.raises(crediting.CreditTooLarge, match=r"at most 90\.00 USD before tax.*not 90\.01"):
            credit(invoice, "90.01")
        assert (CreditNote.objects.count(), CreditNoteLine.objects.count()) == (0, 0)

    @pytest.mark.parametrize("amount", ["0.00", "-1.00", "0.001"])
    def test_refuses_an_amount_that_is_none(self, invoice, amount):
        with pytest.raises(crediting.CreditAmountInvalid, match="above zero with at most 2"):
            credit(invoice, amount)

    def test_needs_a_reason(self, invoice):
        with pytest.raises(crediting.ReasonMissing, match="Say why"):
            credit(invoice, "1.00", reason=" ")

    def test_refuses_drafts_and_void_invoices(self, invoice, subscription):
        voiding.void(invoice=invoice, at=NOW)
        with pytest.raises(crediting.InvoiceNotCreditable, match="INV-000001 is void"):
            credit(invoice, "1.00")
        draft = Invoice.objects.create(
            customer=subscription.customer,
            currency="USD",
            subtotal=Decimal(5),
            discount_total=Decimal(0),
            total=Decimal(5),
            drafted_at=NOW,
        )
        with pytest.raises(crediting.InvoiceNotCreditable, match="is draft"):
            credit(draft, "1.00")

    def test_settles_an_invoice_that_it_covers(self, invoice):
        credit(invoice, "40.00")
        assert Invoice.objects.get().state == "FINALIZED"
        credit(invoice, "50.00")
        assert Invoice.objects.get().state == "PAID"


class TestCreditLines:
    def credit(self, invoice, **amounts):
        by_id = {line(int(key[4:])).pk: Decimal(amount) for key, amount in amounts.items()}
        return crediting.credit_lines(invoice=invoice, amounts=by_id, reason="Wrong price", at=NOW)

    def test_names_the_lines_that_are_given_back(self, invoice):
        note = self.credit(invoice, part1="10.00", part2="5.00")
        assert [(each.name, each.component, each.amount) for each in note.lines.all()] == [
            ("Part 1", "part1", Decimal("10.00")),
            ("Part 2", "part2", Decimal("5.00")),
        ]
        assert [each.invoice_line for each in note.lines.all()] == [line(1), line(2)]
        assert note.total == Decimal("17.85")

    def test_gives_back_no_more_of_a_line_than_it_charged(self, invoice):
        self.credit(invoice, part2="15.00")
        with pytest.raises(crediting.CreditTooLarge, match=r"Of the line Part 2 at most 5\.00"):
            self.credit(invoice, part2="5.01")

    def test_refuses_lines_of_another_invoice_and_none_at_all(self, invoice):
        with pytest.raises(crediting.InvoiceLineUnknown, match="INV-000001"):
            crediting.credit_lines(invoice=invoice, amounts={line().pk + 100: Decimal(1)}, reason="x", at=NOW)
        with pytest.raises(crediting.InvoiceLineUnknown):
            crediting.credit_lines(invoice=invoice, amounts={}, reason="x", at=NOW)


class TestNumbers:
    def test_are_a_series_of_their_own_without_gaps(self, invoice):
        before = transaction.savepoint()
        assert credit(invoice, "1.00").number == "CN-000001"
        transaction.savepoint_rollback(before)
        assert [credit(invoice, "1.00").number for _ in range(2)] == ["CN-000001", "CN-000002"]
        seller = Seller.objects.get()
        assert (seller.credit_note_number_last, seller.invoice_number_last) == (2, 1)


class TestCreditNote:
    @pytest.mark.parametrize(
        "statement",
        [
            "update billing_creditnote set total = total + 1, subtotal = subtotal + 1",
            "update billing_creditnote set number = 'X'",
            "update billing_creditnote set reason = 'X'",
            "delete from billing_creditnote",
            "update billing_creditnoteline set amount = 1",
            "delete from billing_creditnoteline",
            "insert into billing_creditnoteline"
            " (credit_note_id, position, kind, dimensions, name, amount, note)"
            " select id, 9, 'credit', '{}', 'x', 5, '' from billing_creditnote",
        ],
    )
    def test_refuses_changes_by_raw_sql(self, invoice, statement):
        credit(invoice, "1.00")
        with pytest.raises(IntegrityError, match="refused"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)

    @pytest.mark.parametrize("table", ["billing_creditnote", "billing_creditnoteline"])
    def test_refuses_truncate(self, invoice, table):
        credit(invoice, "1.00")
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("set local meterbook.allow_truncate = 'off'")
            with pytest.raises(IntegrityError, match=r"TRUNCATE of billing_creditnote(line)? refused"):
                with transaction.atomic():
                    cursor.execute(f"truncate {table} cascade")
            cursor.execute("set local meterbook.allow_truncate = 'on'")

    def test_is_refused_by_the_database_where_more_would_be_given_back(self, invoice):
        credit(invoice, "90.00")
        again = (
            "insert into billing_creditnote (invoice_id, customer_id, number, issued_at, currency, subtotal,"
            " taxes, tax_total, total, reason, seller, buyer) select invoice_id, customer_id, 'X', issued_at,"
            " currency, 0.01, '[]', 0, 0.01, 'x', '{}', '{}' from billing_creditnote"
        )
        with pytest.raises(IntegrityError, match="more would be given back than invoice INV-000001"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(again)
