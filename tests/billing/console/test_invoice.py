"""The page of an invoice."""

import re

import pytest
from django.urls import reverse

from billing.models import Invoice
from tests.billing.console import month
from tests.billing.exports import sample

pytestmark = pytest.mark.django_db


def opened(client, invoice):
    return client.get(reverse("console:invoice", args=[invoice.pk])).content.decode()


def words(page):
    """The text of a page without its tags, one space between words."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class TestInvoice:
    def test_shows_each_line_with_its_steps_and_parts(self, owner):
        text = words(opened(owner, month.invoiced()))
        assert "1 – 31 May 2020" in text
        assert "20 GPU-hour" in text
        assert "20 x 2.5" in text
        assert "$40.00" in text  # compute: 20 x 2.00
        assert "$10.00" in text  # storage: 20 x 0.50

    def test_puts_lines_under_their_groups_and_says_which_is_billed(self, owner):
        text = words(opened(owner, month.invoiced()))
        assert "The dearer the dearest of these is billed" in text
        assert "not chosen, would be $31.00" in text

    def test_ends_with_the_total(self, owner):
        assert "Total in USD $50.00" in words(opened(owner, month.invoiced()))

    def test_names_buyer_and_seller_as_printed(self, owner):
        text = words(opened(owner, month.invoiced()))
        assert "Acme 北京" in text
        assert "Nimbus Tax id DE123" in text
        assert "INV-000001" in text

    def test_shows_discounts_as_taken(self, owner):
        lines = [sample.calls(amount="100.00")]
        invoice = sample.draft(
            lines=lines, discounts=[{"name": "Launch", "percent": "10", "amount": "10.00"}]
        )
        text = words(opened(owner, invoice))
        assert "Launch (10 %) -$10.00" in text
        assert "Subtotal $100.00 Discounts -$10.00 Total in USD $90.00" in text

    def test_says_why_a_draft_is_blocked(self, owner):
        invoice = sample.draft(lines=[sample.calls()])
        Invoice.objects.filter(pk=invoice.pk).update(blocked_reason="usage of gpt-9 has no price")
        assert "This draft cannot be finalized usage of gpt-9 has no price" in words(opened(owner, invoice))

    def test_warns_where_the_stored_rating_input_is_another(self, owner):
        invoice = month.invoiced()
        other = sample.draft(lines=[sample.calls()], buyer=invoice.customer)
        assert "is not what its SHA-256 says" in opened(owner, other)
        assert "is not what its SHA-256 says" not in opened(owner, invoice)

    def test_takes_the_currency_of_the_invoice(self, owner):
        yen = sample.customer("jp", currency="JPY")
        text = words(opened(owner, sample.draft(lines=[sample.calls(amount="1234567")], buyer=yen)))
        assert "¥1,234,567" in text
        assert "$" not in text

    def test_writes_names_as_text(self, owner):
        buyer = sample.customer("x", name="<b>Bold</b> & Co")
        page = opened(owner, sample.draft(lines=[sample.calls()], buyer=buyer))
        assert "<b>Bold" not in page
        assert "&lt;b&gt;Bold&lt;/b&gt; &amp; Co" in page

    def test_stays_within_its_statements(self, owner, django_assert_max_num_queries):
        invoice = sample.draft(lines=[sample.calls() for _ in range(30)])
        for _ in range(4):
            sample.add_period(invoice, lines=[sample.calls() for _ in range(30)])
        with django_assert_max_num_queries(9):
            opened(owner, invoice)


class TestPdf:
    def test_is_handed_out_under_its_number(self, owner):
        invoice = month.invoiced()
        answer = owner.get(reverse("console:invoice_pdf", args=[invoice.pk]))
        assert answer["Content-Disposition"] == 'attachment; filename="INV-000001.pdf"'
        assert b"".join(answer.streaming_content).startswith(b"%PDF-")
