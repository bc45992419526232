"""The list of invoices."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import User

from billing.invoicing import paying, voiding
from billing.models import Invoice
from tests.billing.console import month
from tests.billing.exports import sample

pytestmark = pytest.mark.django_db

MAY = "/console/invoices/?month=2020-05"


def paid(invoice, amount):
    paying.record(
        invoice=invoice,
        amount=Decimal(amount),
        received_at=month.INVOICED_AT,
        reference="",
        at=month.INVOICED_AT,
        by="owner",
    )


class TestList:
    def test_shows_the_month_with_totals(self, owner):
        invoice = month.invoiced()
        paid(invoice, "20")
        page = owner.get(MAY)
        text = page.content.decode()
        assert "INV-000001" in text
        assert "Part paid" in text
        assert "$30.00" in text
        [total] = page.context["totals"]
        assert (total.state, total.number, total.amount) == ("FINALIZED", 1, Decimal("50.00"))

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("&state=open", 1),
            ("&state=overdue", 1),
            ("&state=paid", 0),
            ("&state=draft", 0),
            ("&text=acme", 1),
            ("&text=北京", 1),
            ("&text=inv-000001", 1),
            ("&text=nobody", 0),
            ("&state=nonsense", 1),
        ],
    )
    def test_is_narrowed_down(self, owner, query, count):
        month.invoiced()
        with time_machine.travel(datetime(2027, 2, 1, tzinfo=UTC), tick=False):
            owner.force_login(User.objects.get(username="owner"))
            assert len(owner.get(MAY + query).context["shown"]) == count

    def test_is_of_one_month_or_of_all(self, owner):
        month.invoiced()
        assert owner.get("/console/invoices/?month=2020-06").context["shown"] == []
        assert len(owner.get("/console/invoices/?month=2020-06&every=on").context["shown"]) == 1

    def test_tells_void_from_charged(self, owner):
        voiding.void(invoice=month.invoiced(), at=month.INVOICED_AT)
        [total] = owner.get(MAY).context["totals"]
        assert total.state == "VOID"

    def test_turns_pages_by_id(self, owner):
        first = sample.draft(lines=[sample.calls()])
        Invoice.objects.bulk_create(
            Invoice(
                customer=first.customer,
                currency="USD",
                subtotal=Decimal(1),
                discount_total=Decimal(0),
                total=Decimal(1),
                drafted_at=month.INVOICED_AT,
            )
            for _ in range(60)
        )
        page = owner.get("/console/invoices/?every=on")
        assert len(page.context["shown"]) == 50
        older = owner.get(f"/console/invoices/?{page.context['rows'].older}")
        assert len(older.context["shown"]) == 11
        assert older.context["rows"].older == ""
        newer = owner.get(f"/console/invoices/?{older.context['rows'].newer}")
        assert [row.invoice.pk for row in newer.context["shown"]] == [
            row.invoice.pk for row in page.context["shown"]
        ]

    def test_asks_as_little_for_many_rows(self, owner, django_assert_max_num_queries):
        month.invoiced()
        with django_assert_max_num_queries(12):
            owner.get(MAY)

    def test_without_any_says_how_they_come(self, owner, db):
        assert "No invoices yet" in owner.get("/console/invoices/").content.decode()


class TestUsageLink:
    def test_leads_from_a_line_to_its_usage_by_day(self, owner):
        invoice = month.invoiced()
        text = owner.get(f"/console/invoices/{invoice.pk}/").content.decode()
        link = (
            "/console/usage/?meter=gpu_hours&amp;subject=acme&amp;window=DAY&amp;zone=UTC"
            "&amp;time_from=2020-05-01T00%3A00&amp;time_until=2020-06-01T00%3A00"
        )
        assert link in text
        answered = owner.get(link.replace("&amp;", "&"))
        assert "2020-05-14" in answered.content.decode()
