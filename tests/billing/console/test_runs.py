"""The page of invoice runs, and its buttons, which call a worker."""

import pytest

from billing.invoicing import running
from billing.models import Invoice, InvoiceRun
from tests.billing.console import month

pytestmark = pytest.mark.django_db


def page(client):
    return client.get("/console/runs/").content.decode()


class TestRuns:
    def test_show_what_they_did(self, owner):
        month.invoiced()
        text = page(owner)
        assert "Done" in text
        assert InvoiceRun.objects.get().finalized == 1

    def test_show_what_is_left_and_offer_to_try_again(self, owner):
        invoice = month.drafted_and_blocked()
        text = page(owner)
        assert f"/console/invoices/{invoice.pk}/" in text
        assert f"/console/runs/{InvoiceRun.objects.get().pk}/retry/" in text

    def test_start_where_something_is_due(self, owner):
        month.used()
        assert owner.post("/console/runs/start/").url == "/console/runs/"
        assert InvoiceRun.objects.get().started_by == "owner"
        assert "Running" in page(owner)

    def test_do_not_start_for_nothing(self, owner, db):
        answer = owner.post("/console/runs/start/", follow=True)
        assert "Nothing is due" in answer.content.decode()
        assert not InvoiceRun.objects.exists()

    def test_are_under_way_again_when_what_failed_is_retried(self, owner):
        month.drafted_and_blocked()
        run = InvoiceRun.objects.get()
        owner.post(f"/console/runs/{run.pk}/retry/")
        run.refresh_from_db()
        assert run.state == InvoiceRun.State.RUNNING
        for _ in running.chunks(run=run, at=month.INVOICED_AT):
            pass
        assert Invoice.objects.get().state == Invoice.State.DRAFT

    def test_are_not_started_by_looking(self, owner):
        month.used()
        assert owner.get("/console/runs/start/").status_code == 405
