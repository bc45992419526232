"""The console's first page."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse

from billing.console.dashboard import figures
from billing.models import Invoice, Reconciliation
from metering.models import ApiKey, patience
from tests.billing.console import month
from tests.billing.exports import sample
from tests.world import catalog

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def opened(client, query="?month=2020-05"):
    return client.get(reverse("admin:index") + query)


def sleep():
    """A statement that takes longer than the bound of the test."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(5)")


class TestDashboard:
    def test_shows_the_months_revenue_and_customers(self, owner):
        invoice = month.invoiced()
        page = opened(owner).content.decode()
        assert "$50.00" in page
        assert "1 finalized invoice" in page
        assert f"/console/customers/{invoice.customer.key}/" in page
        assert "Acme 北京" in page

    def test_tells_drafts_from_finalized_invoices(self, owner):
        invoice = month.invoiced()
        sample.draft(lines=[sample.calls(amount="1322.85")], buyer=invoice.customer)
        page = opened(owner).content.decode()
        assert "1 finalized invoice, and $1,322.85 in 1 draft" in page
        assert "$1,372.85" in page.split("Top customers")[1]

    def test_does_not_add_currencies(self, owner):
        month.invoiced()
        euros = sample.customer("eu", currency="EUR", name="Euro")
        sample.finalized(sample.draft(lines=[sample.calls(amount="10.00")], buyer=euros), number="INV-2")
        revenues = opened(owner).context["revenues"]
        assert [(each.currency, each.invoiced) for each in revenues] == [
            ("EUR", Decimal("10.00")),
            ("USD", Decimal("50.00")),
        ]

    def test_opens_on_the_last_month_with_usage(self, owner):
        month.used()
        month.rolled_up()
        assert opened(owner, "").context["month"].text == "2020-05"

    def test_links_the_months_beside_it(self, owner):
        page = opened(owner).content.decode()
        assert "?month=2020-04" in page
        assert "?month=2020-06" in page

    def test_takes_a_month_that_is_none_for_no_month(self, owner):
        assert opened(owner, "?month=2020-13").status_code == 200

    def test_charts_the_events_of_each_hour(self, owner):
        month.used()
        chart = json.loads(opened(owner).context["chart"])
        assert sum(chart["datasets"][0]["data"]) == 1
        assert chart["datasets"][0]["data"][chart["labels"].index("14 May 10:00")] == 1
        assert len(chart["labels"]) == 31 * 24

    def test_counts_what_waits_and_what_was_rejected(self, owner):
        month.used()
        month.rejected()
        context = opened(owner).context
        assert (context["pending"].text, context["rejected"].text) == ("1", "1")

    def test_names_the_drafts_that_cannot_be_finalized(self, owner):
        month.invoiced()
        acme = Invoice.objects.get().customer
        Invoice.objects.create(
            customer=acme,
            currency="USD",
            subtotal=0,
            discount_total=0,
            total=0,
            drafted_at=NOW,
            blocked_reason="usage of gpt-9 has no price",
        )
        assert "usage of gpt-9 has no price" in opened(owner).content.decode()

    def test_says_that_there_are_too_many_events_to_count(self, owner, monkeypatch):
        month.used()
        monkeypatch.setattr(patience, "STATEMENT_MS", 1)
        monkeypatch.setattr(figures, "events_by_hour", lambda *_months, at: sleep())
        assert "more events than can be counted" in opened(owner).content.decode()

    def test_stays_within_its_statements(self, owner, django_assert_max_num_queries):
        month.invoiced()
        month.rejected()
        with django_assert_max_num_queries(26):
            opened(owner)


class TestFirstSteps:
    def test_stand_on_the_page_until_all_are_done(self, owner):
        assert "From nothing to the first invoice" in opened(owner).content.decode()
        month.invoiced()
        assert "From nothing to the first invoice" not in opened(owner).content.decode()

    def test_stay_done_when_the_key_was_revoked(self, owner):
        month.invoiced()
        ApiKey.objects.update(revoked_at=datetime(2026, 11, 1, tzinfo=UTC))
        assert "From nothing to the first invoice" not in opened(owner).content.decode()

    def test_tick_off_what_is_there(self, owner):
        catalog.seller()
        assert [step.is_done for step in opened(owner).context["steps"]] == [True] + [False] * 7

    def test_show_a_command_with_the_address_of_this_server(self, owner):
        page = opened(owner).content.decode()
        assert "curl -X POST http://testserver/api/v1/events" in page


class TestAlerts:
    def test_names_what_does_not_agree(self, owner):
        month.invoiced()
        Reconciliation.objects.create(
            started_at=NOW,
            ended_at=NOW,
            difference_count=1,
            differences=[{"where": "INV-000001", "what": "its total is 50.00"}],
        )
        page = opened(owner).content.decode()
        assert "INV-000001: its total is 50.00" in page
        assert "Differs" in page

    def test_says_that_all_agrees(self, owner):
        Reconciliation.objects.create(started_at=NOW, ended_at=NOW)
        assert "Agrees" in opened(owner).content.decode()

    def test_counts_invoices_that_are_overdue(self, owner):
        invoice = month.invoiced()
        assert figures.overdue(invoice.due_date).number == 0
        assert figures.overdue(invoice.due_date + timedelta(days=1)).number == 1


class TestPermissions:
    def test_hide_money_from_those_who_may_not_see_invoices(self, client):
        month.invoiced()
        client.force_login(month.clerk("metering.view_event"))
        page = opened(client).content.decode()
        assert "$50.00" not in page
        assert "Events per hour" in page

    def test_hide_events_from_those_who_may_not_see_them(self, client):
        month.invoiced()
        client.force_login(month.clerk("billing.view_invoice"))
        page = opened(client).content.decode()
        assert "$50.00" in page
        assert "Events per hour" not in page


class TestFiles:
    def test_come_from_this_server_alone(self, owner):
        page = opened(owner).content.decode()
        addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert [each for each in addresses if each.startswith(("http:", "https:", "//"))] == []

    def test_carry_no_handlers_in_the_page(self, owner):
        main = opened(owner).content.decode().split('class="c-page"')[1]
        assert re.search(r"\son[a-z]+=", main.split("</main>")[0]) is None
