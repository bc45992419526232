"""/api/v1/invoice-runs: started, read, and tried again."""

from __future__ import annotations

import pytest

from billing.invoicing import running
from billing.models import InvoiceRun
from tests.billing.api.test_customers import fault
from tests.billing.console import month
from tests.world import catalog

pytestmark = pytest.mark.django_db


class TestRuns:
    def test_are_started_where_something_is_due(self, ask, django_capture_on_commit_callbacks):
        month.used()
        with django_capture_on_commit_callbacks() as calls:
            first = ask("POST", "/invoice-runs", idempotency_key="r-1")
            again = ask("POST", "/invoice-runs", idempotency_key="r-1")
        run = InvoiceRun.objects.get()
        assert [(call.func.__name__, call.keywords) for call in calls] == [("bill", {"run_id": run.pk})]
        shown = first.json()["invoice_run"]
        assert (shown["id"], shown["state"], shown["due"]) == (run.pk, "RUNNING", 1)
        assert shown["started_by"] == "API key test"
        assert again.content == first.content
        assert ask("GET", first["Location"].removeprefix("/api/v1")).json() == shown
        assert ask("GET", "/invoice-runs").json() == {"invoice_runs": [shown], "next": None}

    def test_that_are_under_way_go_on(self, ask):
        month.used()
        ids = {ask("POST", "/invoice-runs").json()["invoice_run"]["id"] for _ in range(2)}
        assert ids == {InvoiceRun.objects.get().pk}

    def test_are_not_started_for_nothing(self, ask):
        catalog.seller()
        assert ask("POST", "/invoice-runs").json() == {"invoice_run": None}
        assert not InvoiceRun.objects.exists()

    def test_are_not_started_without_a_seller(self, ask):
        assert fault(ask("POST", "/invoice-runs")) == (409, "seller_missing", None)

    def test_are_not_started_by_readers(self, ask):
        assert fault(ask("POST", "/invoice-runs", scopes=("read",)))[:2] == (403, "permission_denied")

    def test_say_what_is_left_and_try_it_again(self, ask):
        draft = month.drafted_and_blocked()
        run = InvoiceRun.objects.get()
        [failure] = ask("GET", f"/invoice-runs/{run.pk}/failures").json()["failures"]
        assert (failure["customer"], failure["invoice"]) == (draft.customer.key, draft.pk)
        retried = ask("POST", f"/invoice-runs/{run.pk}/retry").json()
        assert (retried["state"], retried["blocked"]) == ("RUNNING", 0)
        assert fault(ask("POST", f"/invoice-runs/{run.pk}/retry")) == (409, "run_not_ended", None)
        for _ in running.chunks(run=run, at=month.INVOICED_AT):
            pass
        assert ask("GET", f"/invoice-runs/{run.pk}").json()["blocked"] == 1
        assert fault(ask("GET", f"/invoice-runs/{run.pk + 1}")) == (404, "not_found", None)
