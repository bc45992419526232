from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing import evidence, publishing
from billing.invoicing import drafting, finalizing, locking
from billing.models import Customer, Invoice, Seller
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER


@pytest.fixture
def seller(db):
    return catalog.seller(legal_name="Nimbus GmbH", payment_reference="IBAN DE00")


@pytest.fixture
def acme(db):
    catalog.gpu_hours()
    return catalog.customer("acme", legal_name="Acme, Inc.", tax_id="US1")


@pytest.fixture
def draft(acme):
    subscription = catalog.subscription(acme, catalog.plan())
    catalog.run_gpus("acme", OCTOBER.start, 4)
    return drafting.draft(subscription=subscription, period=OCTOBER, at=NOW)


def finalize(invoice, at=NOW):
    return finalizing.finalize(invoice=invoice, at=at)


class TestFinalize:
    def test_numbers_dates_and_freezes_the_draft(self, seller, draft):
        finalize(draft)
        stored = Invoice.objects.get()
        assert (stored.state, stored.number, stored.total) == ("FINALIZED", "INV-000001", Decimal("10.00"))
        assert (stored.finalized_at, stored.due_date) == (NOW, date(2026, 12, 2))
        assert (stored.seller["legal_name"], stored.seller["payment_reference"]) == (
            "Nimbus GmbH",
            "IBAN DE00",
        )
        assert (stored.buyer["key"], stored.buyer["legal_name"], stored.buyer["tax_id"]) == (
            "acme",
            "Acme, Inc.",
            "US1",
        )

    def test_answers_the_invoice_as_it_is_stored(self, seller, draft):
        answered, stored = finalize(draft), Invoice.objects.get()
        for column in Invoice._meta.concrete_fields:
            assert getattr(answered, column.attname) == getattr(stored, column.attname)

    def test_counts_usage_that_came_after_the_draft(self, seller, draft):
        catalog.run_gpus("acme", datetime(2026, 10, 20, tzinfo=UTC), 2)
        assert finalize(draft).total == Decimal("15.00")

    def test_stores_what_it_was_rated_from(self, seller, draft):
        period = finalize(draft).service_periods.get()
        rating_input = evidence.unpack(evidence.Packed(bytes(period.rating_input), period.rating_sha256))
        assert rating_input["usage"] == [
            {
                "meter": "gpu_hours",
                "quantity": "4",
                "at": "2026-10-01T00:00:00Z",
                "dimensions": {},
                "count": 1,
            }
        ]
        assert evidence.rate(rating_input).total == Decimal("10.00")

    def test_is_due_by_the_calendar_of_the_customer(self, seller):
        catalog.gpu_hours()
        kiwi = catalog.customer("kiwi", timezone="Pacific/Auckland")
        subscription = catalog.subscription(kiwi, catalog.plan())
        period = drafting.statements.period_holding(subscription=subscription, at=OCTOBER.start)
        evening = datetime(2026, 11, 2, 20, tzinfo=UTC)  # 3 November there
        draft = drafting.draft(subscription=subscription, period=period, at=evening)
        assert finalize(draft, at=evening).due_date == date(2026, 12, 3)

    def test_of_a_draft_that_was_discarded_says_so(self, seller, draft):
        Invoice.objects.filter(pk=draft.pk).delete()
        with pytest.raises(locking.InvoiceGone, match="not there any more"):
            finalize(draft)

    def test_refuses_a_second_time(self, seller, draft):
        finalize(draft)
        with pytest.raises(finalizing.InvoiceAlreadyFinalized, match="INV-000001"):
            finalize(draft)
        assert Seller.objects.get().invoice_number_last == 1

    def test_refuses_a_draft_whose_usage_has_no_price(self, seller, acme):
        subscription = catalog.subscription(
            acme, catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        )
        catalog.run_gpus("acme", OCTOBER.start, 1, gpu_type="B200")
        draft = drafting.draft(subscription=subscription, period=OCTOBER, at=NOW)
        with pytest.raises(finalizing.InvoiceBlocked, match="B200"):
            finalize(draft)
        assert (Invoice.objects.get().state, Seller.objects.get().invoice_number_last) == ("DRAFT", 0)

    def test_says_what_to_do_when_there_is_no_seller(self, draft):
        with pytest.raises(finalizing.SellerMissing, match="enter the seller in the console"):
            finalize(draft)
        assert Invoice.objects.get().state == "DRAFT"

    def test_gives_the_number_back_when_it_is_rolled_back(self, seller, draft):
        before = transaction.savepoint()
        assert finalize(draft).number == "INV-000001"
        transaction.savepoint_rollback(before)
        assert finalize(Invoice.objects.get()).number == "INV-000001"

    def test_goes_on_counting_where_the_numbers_outgrow_their_digits(self, draft):
        catalog.seller(invoice_prefix="A-", invoice_number_last=999_999)
        assert finalize(draft).number == "A-1000000"

    def test_keeps_printing_what_was_printed(self, seller, draft):
        finalize(draft)
        Customer.objects.update(legal_name="Moved, Inc.")
        Seller.objects.update(legal_name="Other")
        stored = Invoice.objects.get()
        assert (stored.buyer["legal_name"], stored.seller["legal_name"]) == ("Acme, Inc.", "Nimbus GmbH")


class TestFinalizedInvoice:
    @pytest.mark.parametrize(
        "statement",
        [
            "update billing_invoice set subtotal = subtotal + 1, total = total + 1",
            "update billing_invoice set discount_total = 1, total = total - 1",
            "update billing_invoice set tax_total = 1, total = total + 1",
            "update billing_invoice set taxes = '[{}]'",
            "update billing_invoice set finalize_at = null",
            "update billing_invoice set finalized_at = now()",
            "update billing_invoice set replaces_id = id",
            "update billing_invoice set currency = 'EUR'",
            "update billing_invoice set number = 'X'",
            "update billing_invoice set state = 'DRAFT', number = null",
            "update billing_invoice set due_date = '2030-01-01'",
            "update billing_invoice set buyer = '{}'",
            "delete from billing_invoice",
            "update billing_serviceperiod set total = 1",
            "update billing_serviceperiod set rating_input = ''",
            "update billing_serviceperiod set rating_sha256 = ''",
            "update billing_serviceperiod set end_at = end_at + interval '1 day'",
            "delete from billing_serviceperiod",
            "update billing_invoiceline set amount = 1",
            "update billing_invoiceline set steps = '[]'",
            "delete from billing_invoiceline",
            "insert into billing_invoiceline (service_period_id, position, kind, name, dimensions, unit,"
            " amount, unrounded, note, steps)"
            " select id, 9, 'usage', 'x', '{}', '', 5, '5', '', '[]' from billing_serviceperiod",
        ],
    )
    def test_refuses_changes_by_raw_sql(self, seller, draft, statement):
        finalize(draft)
        with pytest.raises(IntegrityError, match="INV-000001 refused"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)

    def test_always_adds_up(self, draft):
        with pytest.raises(IntegrityError, match="invoice_total_adds_up"), transaction.atomic():
            Invoice.objects.update(tax_total=Decimal(1))

    @pytest.mark.parametrize("table", ["billing_invoice", "billing_serviceperiod", "billing_invoiceline"])
    def test_refuses_truncate(self, seller, draft, table):
        finalize(draft)
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("set local meterbook.allow_truncate = 'off'")
            with pytest.raises(IntegrityError, match=f"TRUNCATE of {table} refused"):
                with transaction.atomic():
                    cursor.execute(f"truncate {table} cascade")
            cursor.execute("set local meterbook.allow_truncate = 'on'")

    def test_protects_its_period_from_a_version_in_the_past(self, seller, draft):
        finalize(draft)
        dearer = catalog.document(catalog.component(unit_amount="9"), migration="AT_ONCE")
        with pytest.raises(publishing.PeriodsAlreadyInvoiced, match="INV-000001"):
            publishing.apply(document={**dearer, "effective_at": "2026-10-31T23:00:00Z"}, at=NOW)
        applied = publishing.apply(document={**dearer, "effective_at": "2026-11-01T00:00:00Z"}, at=NOW)
        assert applied.outcome == "published"

    def test_does_not_mind_a_version_in_the_past_for_the_next_period(self, seller, draft):
        finalize(draft)
        dearer = catalog.document(catalog.component(unit_amount="9"), effective_at="2026-10-15T00:00:00Z")
        assert publishing.apply(document=dearer, at=NOW).outcome == "published"


class Crash(BaseException):
    """The process dies: nothing in the code may catch this."""


class TestCrash:
    def test_at_any_statement_leaves_a_draft_that_can_be_finalized(self, seller, draft):
        number, has_died = 0, True
        while has_died:
            number += 1
            before = transaction.savepoint()
            has_died = self.dies(draft, number)
            stored, counter = Invoice.objects.get(), Seller.objects.get().invoice_number_last
            # It may also die right after its last statement, in place of the end of the transaction.
            assert (stored.state, counter) in (("DRAFT", 0), ("FINALIZED", 1))
            if stored.state == "DRAFT":
                finalize(stored)
            again = Invoice.objects.get()
            assert (again.number, again.total) == ("INV-000001", Decimal("10.00"))
            assert again.service_periods.get().lines.count() == 1
            transaction.savepoint_rollback(before)
        assert number > 15

    def dies(self, draft, number):
        """Whether finalizing has that many statements; it dies in place of the last of them."""
        seen = 0

        def dying(execute, sql, params, many, context):
            nonlocal seen
            seen += 1
            if seen == number:
                raise Crash
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(dying):
                finalize(Invoice.objects.get(pk=draft.pk))
        except Crash:
            return True
        return False
