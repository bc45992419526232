"""/api/v1/invoices: what was charged, line by line."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from billing.invoicing import running
from billing.models import Invoice
from tests.billing.api.test_customers import fault
from tests.world import catalog, invoices

NOW = catalog.IN_NOVEMBER


@pytest.fixture
def october(db):
    """Two customers with an invoice each for October: 4 GPU-hours at 2.50 and a fee, and none and a fee."""
    catalog.seller()
    catalog.gpu_hours()
    plan = catalog.plan(catalog.component(), catalog.fee("fee", "31.00"), discounts=[{"percent": "10"}])
    for key in ("acme", "other"):
        catalog.subscription(catalog.customer(key), plan)
    catalog.run_gpus("acme", catalog.OCTOBER.start, 4)
    running.run(as_of=NOW, at=NOW)


class TestInvoice:
    def test_is_read_with_lines_and_the_steps_to_each_amount(self, ask, october):
        number = Invoice.objects.get(customer__key="acme").number
        invoice = ask("GET", f"/invoices/{number}").json()
        assert invoice["state"] == "FINALIZED"
        assert (invoice["number"], invoice["customer"], invoice["currency"]) == (number, "acme", "USD")
        # 4 x 2.50 + 31.00 = 41.00; 10 % of it is 4.10
        amounts = [invoice[name] for name in ("subtotal", "discount_total", "tax_total", "total")]
        assert amounts == ["41.00", "4.10", "0.00", "36.90"]
        assert invoice["buyer"]["name"] == "Acme"
        [period] = invoice["service_periods"]
        assert (period["start_at"], period["end_at"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
        assert period["discounts"] == [{"name": "Discount", "percent": "10", "amount": "4.10"}]
        gpu, fee = period["lines"]
        assert (gpu["component"], gpu["quantity"], gpu["unit"], gpu["amount"]) == (
            "gpu",
            "4",
            "GPU-hour",
            "10.00",
        )
        assert gpu["steps"] == [{"label": "4 x 2.5", "quantity": "4", "unit_amount": "2.5", "amount": "10"}]
        assert (fee["component"], fee["kind"], fee["amount"]) == ("fee", "fixed", "31.00")

    def test_is_found_by_its_id_too_which_is_all_that_a_draft_has(self, ask, october):
        row = Invoice.objects.get(customer__key="acme")
        by_number = ask("GET", f"/invoices/{row.number}").json()
        assert ask("GET", f"/invoices/{by_number['id']}").json() == by_number

    @pytest.mark.parametrize("name", ["INV-999999", "99999999999999999999", "٣", "no%00ne"])
    def test_that_is_unknown_is_not_found(self, ask, db, name):
        assert fault(ask("GET", f"/invoices/{name}")) == (404, "not_found", None)

    def test_names_its_taxes(self, ask, db):
        catalog.seller()
        catalog.gpu_hours()
        subscription = catalog.subscription(catalog.customer("acme"), catalog.plan())
        invoice = invoices.finalized(subscription, "100.00", discount="10.00", rates=[invoices.VAT])
        shown = ask("GET", f"/invoices/{invoice.number}").json()
        assert shown["taxes"] == [
            {"name": "VAT 19 %", "percent": "19", "base": "90.00", "amount": "17.10", "note": ""}
        ]
        assert (shown["tax_total"], shown["total"]) == ("17.10", "107.10")


class TestInvoices:
    def test_are_listed_the_latest_first(self, ask, october):
        first = ask("GET", "/invoices?limit=1").json()
        last = ask("GET", f"/invoices?limit=1&cursor={first['next']}").json()
        assert [each["id"] for each in (*first["invoices"], *last["invoices"])] == sorted(
            Invoice.objects.values_list("pk", flat=True), reverse=True
        )
        assert last["next"] is None

    @pytest.mark.parametrize(
        ("query", "customers"),
        [
            ("month=2026-10", {"acme", "other"}),
            ("month=2026-11", set()),
            ("customer=acme", {"acme"}),
            ("customer=nobody", set()),
            ("state=FINALIZED", {"acme", "other"}),
            ("state=DRAFT", set()),
            ("month=2026-10&customer=other&state=FINALIZED", {"other"}),
        ],
    )
    def test_are_filtered(self, ask, october, query, customers):
        found = ask("GET", f"/invoices?{query}").json()["invoices"]
        assert {each["customer"] for each in found} == customers

    @pytest.mark.parametrize("query", ["month=October", "month=2026-13", "state=OPEN", "plan=gpu", "limit=0"])
    def test_refuse_filters_that_nobody_knows(self, ask, db, query):
        assert fault(ask("GET", f"/invoices?{query}")) == (400, "invalid", query.partition("=")[0])

    def test_write_every_amount_as_a_text(self, ask, october):
        answer = ask("GET", f"/invoices/{Invoice.objects.first().number}")
        assert _floats(json.loads(answer.content)) == []


def _floats(value):
    if isinstance(value, dict):
        return [each for inner in value.values() for each in _floats(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in _floats(inner)]
    return [value] if isinstance(value, float) else []


class TestUsage:
    @pytest.fixture
    def acme(self, db, monkeypatch):
        """On 11 October at noon: 4 GPU-hours at 2.50 so far, and a fee and a minimum at the month's end."""
        at = datetime(2026, 10, 11, 12, tzinfo=UTC)
        monkeypatch.setattr("django.utils.timezone.now", lambda: at)
        catalog.gpu_hours()
        plan = catalog.plan(catalog.component(minimum="50.00"), catalog.fee("fee", "31.00"))
        catalog.subscription(catalog.customer("acme"), plan)
        catalog.run_gpus("acme", catalog.OCTOBER.start, 4)

    def test_is_what_the_invoice_would_be_now(self, ask, acme):
        now = ask("GET", "/customers/acme/usage?is_final=false").json()
        assert (now["customer"], now["currency"], now["as_of"]) == ("acme", "USD", "2026-10-11T12:00:00Z")
        [piece] = now["pieces"]
        assert (piece["subscription"], piece["blocked_reason"]) == ("acme-gpu-cloud", "")
        assert (piece["start_at"], piece["end_at"]) == ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
        [line] = piece["statement"]["lines"]
        assert (line["component"], line["quantity"], line["amount"]) == ("gpu", "4", "10.00")
        assert (piece["statement"]["total"], now["total"]) == ("10.00", "10.00")

    def test_has_minimums_and_fees_of_the_whole_period(self, ask, acme):
        now = ask("GET", "/customers/acme/usage").json()
        kinds = [
            (line["component"], line["kind"], line["amount"])
            for line in now["pieces"][0]["statement"]["lines"]
        ]
        assert kinds == [("gpu", "usage", "10.00"), ("gpu", "minimum", "40.00"), ("fee", "fixed", "31.00")]
        assert now["total"] == "81.00"

    def test_says_why_an_amount_is_not_known(self, ask, acme):
        plan = catalog.plan(catalog.component(where={"gpu_type": ["A100"]}), code="a100-only")
        catalog.subscription(catalog.customer("other"), plan)
        catalog.run_gpus("other", catalog.OCTOBER.start, 1)
        now = ask("GET", "/customers/other/usage").json()
        [piece] = now["pieces"]
        assert (piece["statement"], now["total"]) == (None, None)
        assert "H100" in piece["blocked_reason"]

    def test_is_empty_without_a_subscription(self, ask, db):
        catalog.customer("new")
        now = ask("GET", "/customers/new/usage").json()
        assert (now["pieces"], now["total"]) == ([], "0.00")

    def test_stores_nothing(self, ask, acme):
        ask("GET", "/customers/acme/usage?is_final=false")
        assert not Invoice.objects.exists()
