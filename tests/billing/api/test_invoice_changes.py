"""/api/v1/invoices/{name}/...: finalized, voided, issued again, paid and credited."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing import taxing
from billing.invoicing import running
from billing.models import CreditNote, Invoice, Payment
from tests.billing.api.test_customers import fault
from tests.billing.console import month
from tests.world import catalog, invoices

pytestmark = pytest.mark.django_db

NOW = catalog.IN_NOVEMBER


@pytest.fixture(autouse=True)
def _in_november(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def acme():
    """Acme's subscription: a GPU-hour at 2.50."""
    catalog.seller()
    catalog.gpu_hours()
    return catalog.subscription(catalog.customer("acme"), catalog.plan())


@pytest.fixture
def address(acme):
    """That of an invoice over 100.00 and 50.00 with 19 % on them: 178.50."""
    return f"/invoices/{invoices.finalized(acme, '100.00', '50.00', rates=[invoices.VAT]).number}"


class TestDraft:
    @pytest.fixture
    def draft(self, acme):
        """4 GPU-hours, whose grace ends when nobody waits for late usage any more."""
        acme.customer.grace_hours = 24
        acme.customer.save()
        catalog.run_gpus("acme", catalog.OCTOBER.start, 4)
        running.run(as_of=catalog.OCTOBER.end, at=catalog.OCTOBER.end)
        return Invoice.objects.get(state="DRAFT")

    def test_is_finalized_once(self, ask, draft):
        done = ask("POST", f"/invoices/{draft.pk}/finalize", idempotency_key="f-1")
        assert (done.status_code, done.json()["state"], done.json()["total"]) == (200, "FINALIZED", "10.00")
        assert done.json()["number"] == "INV-000001"
        again = ask("POST", f"/invoices/{draft.pk}/finalize", idempotency_key="f-1")
        assert (again.content, again["Idempotent-Replayed"]) == (done.content, "true")
        refused = ask("POST", f"/invoices/{draft.pk}/finalize")
        assert fault(refused) == (409, "invoice_already_finalized", None)

    def test_is_not_finalized_in_its_grace(self, ask, draft, monkeypatch):
        monkeypatch.setattr("django.utils.timezone.now", lambda: catalog.OCTOBER.end)
        refused = ask("POST", f"/invoices/{draft.pk}/finalize")
        assert fault(refused) == (409, "grace_not_over", None)
        assert Invoice.objects.get().state == "DRAFT"

    def test_that_is_blocked_says_why(self, ask):
        blocked = month.drafted_and_blocked()
        refused = ask("POST", f"/invoices/{blocked.pk}/finalize")
        assert fault(refused) == (409, "invoice_blocked", None)
        assert "A100" in refused.json()["detail"]

    def test_is_neither_voided_nor_paid_nor_credited(self, ask, draft):
        address = f"/invoices/{draft.pk}"
        assert fault(ask("POST", f"{address}/void")) == (409, "invoice_not_finalized", None)
        paid = ask("POST", f"{address}/payments", {"amount": "1.00"})
        assert fault(paid) == (409, "invoice_not_payable", None)
        credited = ask("POST", f"{address}/credit-notes", {"amount": "1.00", "reason": "Gift"})
        assert fault(credited) == (409, "invoice_not_creditable", None)
        assert ask("GET", f"{address}/payments").json()["standing"] is None


class TestVoid:
    def test_is_issued_again_with_what_is_right_now(self, ask, acme):
        catalog.run_gpus("acme", catalog.OCTOBER.start, 4)
        running.run(as_of=NOW, at=NOW)
        assert fault(ask("POST", "/invoices/INV-000001/reissue")) == (409, "invoice_not_void", None)
        void = ask("POST", "/invoices/INV-000001/void").json()
        assert (void["state"], void["voided_at"]) == ("VOID", "2026-11-02T09:30:00Z")
        assert fault(ask("POST", "/invoices/INV-000001/void")) == (409, "invoice_already_void", None)
        catalog.run_gpus("acme", catalog.OCTOBER.start.replace(day=5), 2)
        made = ask("POST", "/invoices/INV-000001/reissue")
        draft = made.json()
        # 6 x 2.50
        assert (made.status_code, draft["state"], draft["total"]) == (201, "DRAFT", "15.00")
        assert draft["replaces"] == "INV-000001"
        assert ask("GET", made["Location"].removeprefix("/api/v1")).json() == draft
        refused = ask("POST", "/invoices/INV-000001/reissue")
        assert fault(refused) == (409, "invoice_already_replaced", None)


class TestVerbs:
    GIFT = {"amount": "1.00", "reason": "Gift"}

    @pytest.mark.parametrize(
        ("verb", "body"),
        [
            ("finalize", None),
            ("void", None),
            ("reissue", None),
            ("payments", {"amount": "1.00"}),
            ("credit-notes", GIFT),
        ],
    )
    def test_need_an_invoice_and_the_scope(self, ask, address, verb, body):
        assert fault(ask("POST", f"/invoices/INV-999999/{verb}", body)) == (404, "not_found", None)
        refused = ask("POST", f"{address}/{verb}", body, scopes=("read",))
        assert fault(refused)[:2] == (403, "permission_denied")

    @pytest.mark.parametrize("verb", ["finalize", "void", "reissue"])
    def test_have_nothing_to_be_said_with_them(self, ask, address, verb):
        assert fault(ask("POST", f"{address}/{verb}", {"force": True})) == (400, "invalid", "force")


class TestPayments:
    def test_settle_an_invoice(self, ask, address):
        first = ask("POST", f"{address}/payments", {"amount": "78.50", "reference": "transfer 7"})
        assert first.status_code == 201
        assert first.json() == {
            "id": Payment.objects.get().pk,
            "invoice": "INV-000001",
            "currency": "USD",
            "amount": "78.50",
            "received_at": "2026-11-02T09:30:00Z",
            "reference": "transfer 7",
            "recorded_at": "2026-11-02T09:30:00Z",
            "recorded_by": "API key test",
        }
        assert fault(ask("POST", f"{address}/void")) == (409, "invoice_paid_for", None)
        assert ask("GET", f"{address}/payments").json()["standing"] == {
            "total": "178.50",
            "credited": "0.00",
            "paid": "78.50",
            "due": "100.00",
            "overpaid": "0.00",
        }
        ask("POST", f"{address}/payments", {"amount": "100", "received_at": "2026-11-01T00:00:00Z"})
        assert ask("GET", address).json()["state"] == "PAID"
        assert fault(ask("POST", f"{address}/void")) == (409, "invoice_paid", None)
        page = ask("GET", f"{address}/payments?limit=1").json()
        rest = ask("GET", f"{address}/payments?limit=1&cursor={page['next']}").json()
        assert [each["amount"] for each in (*page["payments"], *rest["payments"])] == ["78.50", "100.00"]
        assert rest["next"] is None

    def test_are_recorded_once_under_a_key(self, ask, address):
        for _ in range(2):
            ask("POST", f"{address}/payments", {"amount": "50.00"}, idempotency_key="p-1")
        assert Payment.objects.count() == 1

    @pytest.mark.parametrize(
        ("members", "status", "code", "field"),
        [
            ({"amount": 1}, 400, "invalid", "amount"),
            ({"amount": "1,50"}, 400, "invalid", "amount"),
            ({"amount": "1.505"}, 400, "payment_amount_invalid", "amount"),
            ({"amount": "178.51"}, 409, "payment_more_than_due", "amount"),
            ({"amount": "-0.01"}, 409, "refund_more_than_paid", "amount"),
            ({"received_at": "2026-11-03T00:00:00Z"}, 400, "payment_from_the_future", "received_at"),
            ({"currency": "USD"}, 400, "invalid", "currency"),
        ],
    )
    def test_name_what_is_wrong(self, ask, address, members, status, code, field):
        refused = ask("POST", f"{address}/payments", {"amount": "1.00", **members})
        assert fault(refused) == (status, code, field)
        assert not Payment.objects.exists()


class TestCreditNotes:
    def test_give_back_an_amount_with_its_tax(self, ask, address):
        made = ask("POST", f"{address}/credit-notes", {"amount": "10.00", "reason": "Outage"})
        assert (made.status_code, made["Location"]) == (201, "/api/v1/credit-notes/CN-000001")
        note = made.json()
        # 19 % of 10.00 is 1.90
        amounts = [note[name] for name in ("currency", "subtotal", "tax_total", "total")]
        assert amounts == ["USD", "10.00", "1.90", "11.90"]
        assert (note["invoice"], note["customer"], note["reason"]) == ("INV-000001", "acme", "Outage")
        [line] = note["lines"]
        assert (line["name"], line["amount"], line["invoice_line"]) == ("Outage", "10.00", None)
        assert ask("GET", "/credit-notes/CN-000001").json() == note
        assert fault(ask("GET", "/credit-notes/CN-9")) == (404, "not_found", None)
        assert ask("GET", f"{address}/payments").json()["standing"]["due"] == "166.60"
        assert fault(ask("POST", f"{address}/void")) == (409, "invoice_credited", None)

    def test_give_back_lines(self, ask, address):
        [period] = ask("GET", address).json()["service_periods"]
        second = period["lines"][1]["id"]
        wanted = {"lines": [{"id": second, "amount": "50.00"}], "reason": "Not used"}
        note = ask("POST", f"{address}/credit-notes", wanted).json()
        # 50.00 and 19 % of it
        assert (note["total"], note["lines"][0]["invoice_line"]) == ("59.50", second)
        refused = ask("POST", f"{address}/credit-notes", wanted)
        assert fault(refused) == (409, "credit_too_large", "lines")

    @pytest.mark.parametrize(
        ("members", "status", "code", "field"),
        [
            ({"amount": "150.01"}, 409, "credit_too_large", "amount"),
            ({"amount": "0"}, 400, "credit_amount_invalid", "amount"),
            ({"amount": 10}, 400, "invalid", "amount"),
            ({}, 400, "invalid", "amount"),
            ({"amount": "1.00", "reason": " "}, 400, "invalid", "reason"),
            ({"amount": "1.00", "lines": [{"id": 1, "amount": "1.00"}]}, 400, "invalid", "amount"),
            ({"lines": []}, 400, "invalid", "lines"),
            ({"lines": [{"id": 2**60, "amount": "1.00"}]}, 400, "invoice_line_unknown", "lines"),
        ],
    )
    def test_name_what_is_wrong(self, ask, address, members, status, code, field):
        refused = ask("POST", f"{address}/credit-notes", {"reason": "Gift", **members})
        assert fault(refused) == (status, code, field)
        assert not CreditNote.objects.exists()

    def test_are_listed_the_latest_first(self, ask, address):
        for reason in ("first", "second"):
            ask("POST", f"{address}/credit-notes", {"amount": "1.00", "reason": reason})
        page = ask("GET", "/credit-notes?limit=1").json()
        rest = ask("GET", f"/credit-notes?limit=1&cursor={page['next']}").json()
        notes = [*page["credit_notes"], *rest["credit_notes"]]
        assert [each["reason"] for each in notes] == ["second", "first"]
        assert rest["next"] is None
        assert ask("GET", f"{address}/credit-notes").json()["credit_notes"] == notes

    @pytest.mark.parametrize(
        ("query", "count"),
        [("month=2026-11", 1), ("month=2026-10", 0), ("customer=acme", 1), ("customer=nobody", 0)],
    )
    def test_are_filtered(self, ask, address, query, count):
        ask("POST", f"{address}/credit-notes", {"amount": "1.00", "reason": "Gift"})
        assert len(ask("GET", f"/credit-notes?{query}").json()["credit_notes"]) == count


class TestTaxes:
    VAT = {"code": "vat", "name": "VAT 19 %", "percent": "19"}

    def test_are_defined_and_changed(self, ask):
        made = ask("POST", "/tax-rates", self.VAT)
        assert (made.status_code, made["Location"]) == (201, "/api/v1/tax-rates/vat")
        assert made.json() == self.VAT
        changed = ask("PATCH", "/tax-rates/vat", {"percent": "8.875"}).json()
        assert changed == {**self.VAT, "percent": "8.875"}
        assert ask("GET", "/tax-rates/vat").json() == changed
        assert ask("GET", "/tax-rates").json() == {"tax_rates": [changed], "next": None}

    @pytest.mark.parametrize(
        ("method", "path", "body", "expected"),
        [
            ("POST", "/tax-rates", VAT, (409, "tax_rate_code_taken", "code")),
            ("POST", "/tax-rates", {**VAT, "code": "v t"}, (400, "invalid", "code")),
            ("POST", "/tax-rates", {**VAT, "percent": 19}, (400, "invalid", "percent")),
            ("PATCH", "/tax-rates/vat", {"percent": "100.1"}, (400, "percent_out_of_range", "percent")),
            ("PATCH", "/tax-rates/vat", {"code": "b"}, (400, "invalid", "code")),
            ("PATCH", "/tax-rates/vat", {}, (400, "parse_error", None)),
            ("PATCH", "/tax-rates/nothing", {"name": "b"}, (404, "not_found", None)),
        ],
    )
    def test_name_what_is_wrong(self, ask, method, path, body, expected):
        taxing.define_rate(code="vat", name="VAT 19 %", percent=Decimal(19))
        assert fault(ask(method, path, body)) == expected

    def test_are_said_of_a_customer(self, ask):
        catalog.customer("acme")
        taxing.define_rate(code="vat", name="VAT 19 %", percent=Decimal(19))
        assert ask("GET", "/customers/acme/tax").json() == {"treatment": None, "rates": [], "note": ""}
        taxed = ask("PUT", "/customers/acme/tax", {"treatment": "TAXED", "rates": ["vat"]}).json()
        assert taxed == {"treatment": "TAXED", "rates": [self.VAT], "note": ""}
        exempt = ask("PUT", "/customers/acme/tax", {"treatment": "EXEMPT", "note": "Charity"}).json()
        assert exempt == {"treatment": "EXEMPT", "rates": [], "note": "Charity"}
        assert ask("GET", "/customers/acme/tax").json() == exempt

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"treatment": "TAXED"}, (400, "rates_missing", "rates")),
            ({"treatment": "EXEMPT", "rates": ["vat"]}, (400, "rates_of_untaxed", "rates")),
            ({"treatment": "TAXED", "rates": ["vat", "gst"]}, (400, "invalid", "rates[1]")),
            ({"treatment": "FREE"}, (400, "invalid", "treatment")),
        ],
    )
    def test_of_a_customer_name_what_is_wrong(self, ask, body, expected):
        catalog.customer("acme")
        taxing.define_rate(code="vat", name="VAT 19 %", percent=Decimal(19))
        assert fault(ask("PUT", "/customers/acme/tax", body)) == expected
        assert ask("GET", "/customers/acme/tax").json()["treatment"] is None

    def test_need_the_scope(self, ask):
        catalog.customer("acme")
        for method, path in (("POST", "/tax-rates"), ("PUT", "/customers/acme/tax")):
            assert ask(method, path, {}, scopes=("read",)).status_code == 403
