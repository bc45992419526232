"""What a person does with an invoice: finalize, void, issue again, credit, record a payment."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from billing.models import CreditNote, Invoice, Payment
from tests.billing.console import month
from tests.world import catalog

pytestmark = pytest.mark.django_db


def address(invoice, name):
    return reverse("console:invoice_action", args=[invoice.pk, name])


@pytest.fixture
def invoice(owner):
    """Finalized, 50.00 USD."""
    return month.invoiced()


def state(invoice):
    return Invoice.objects.get(pk=invoice.pk).state


class TestVoid:
    def test_asks_first_and_says_what_will_happen(self, owner, invoice):
        page = owner.get(address(invoice, "void")).content.decode()
        assert "Nothing is due on INV-000001 any more" in page
        assert state(invoice) == "FINALIZED"

    def test_voids_and_offers_to_issue_again(self, owner, invoice):
        assert owner.post(address(invoice, "void")).url == reverse("console:invoice", args=[invoice.pk])
        assert state(invoice) == "VOID"
        page = owner.get(reverse("console:invoice", args=[invoice.pk])).content.decode()
        assert address(invoice, "reissue") in page
        assert address(invoice, "void") not in page

    def test_says_why_not_when_money_came_in(self, owner, invoice):
        owner.post(address(invoice, "pay"), {"amount": "10", "received_at": "2026-11-03T10:00"})
        refused = owner.post(address(invoice, "void"))
        assert refused.status_code == 400
        assert "it cannot be voided" in refused.content.decode()
        assert state(invoice) == "FINALIZED"


class TestReissue:
    def test_leads_to_a_draft_that_can_be_finalized(self, owner, invoice):
        owner.post(address(invoice, "void"))
        owner.post(address(invoice, "reissue"))
        draft = Invoice.objects.get(state="DRAFT")
        assert (draft.total, draft.replaces_id) == (Decimal("50.00"), invoice.pk)
        owner.post(address(draft, "finalize"))
        assert Invoice.objects.get(pk=draft.pk).number == "INV-000002"

    def test_shows_what_differs_from_the_invoice_before(self, owner, invoice):
        owner.post(address(invoice, "void"))
        catalog.run_gpus("acme", datetime(2020, 5, 20, tzinfo=UTC), 4)  # 4 hours that came late
        owner.post(address(invoice, "reissue"))
        draft = Invoice.objects.get(state="DRAFT")
        page = owner.get(reverse("console:invoice", args=[draft.pk]))
        [change] = page.context["comparison"].changes
        assert (change.before, change.after) == (Decimal("50.00"), Decimal("60.00"))

    def test_is_preceded_by_a_look_at_what_would_change(self, owner, invoice):
        catalog.run_gpus("acme", datetime(2020, 5, 20, tzinfo=UTC), 4)
        page = owner.get(reverse("console:invoice", args=[invoice.pk]) + "?now")
        assert "$60.00" in page.content.decode()
        assert state(invoice) == "FINALIZED"


class TestPay:
    def test_shows_what_is_still_due(self, owner, invoice):
        owner.post(address(invoice, "pay"), {"amount": "20", "received_at": "2026-11-03T10:00"})
        page = owner.get(reverse("console:invoice", args=[invoice.pk])).content.decode()
        assert "Paid in part" in page
        assert "$30.00" in page
        assert Payment.objects.get().recorded_by == "owner"

    def test_makes_the_invoice_paid_when_all_came_in(self, owner, invoice):
        owner.post(address(invoice, "pay"), {"amount": "50.00", "received_at": "2026-11-03T10:00"})
        assert state(invoice) == "PAID"

    def test_refuses_more_than_is_due(self, owner, invoice):
        refused = owner.post(address(invoice, "pay"), {"amount": "50.01", "received_at": "2026-11-03T10:00"})
        assert refused.status_code == 400
        assert "only 50.00 USD are due" in refused.content.decode()
        assert not Payment.objects.exists()

    @pytest.mark.parametrize("amount", ["", "ten", "1e5x", "NaN"])
    def test_refuses_what_is_no_amount(self, owner, invoice, amount):
        answer = owner.post(address(invoice, "pay"), {"amount": amount, "received_at": "2026-11-03T10:00"})
        assert answer.status_code == 400
        assert not Payment.objects.exists()


class TestCredit:
    def test_issues_a_credit_note_with_its_reason(self, owner, invoice):
        owner.post(address(invoice, "credit"), {"amount": "12.50", "reason": "Ausfall am 3. Mai 停机"})
        note = CreditNote.objects.get()
        assert (note.total, note.reason) == (Decimal("12.50"), "Ausfall am 3. Mai 停机")
        page = owner.get(reverse("console:invoice", args=[invoice.pk])).content.decode()
        assert note.number in page
        assert "停机" in page
        assert "$37.50" in page

    def test_refuses_more_than_was_charged(self, owner, invoice):
        refused = owner.post(address(invoice, "credit"), {"amount": "50.01", "reason": "all"})
        assert refused.status_code == 400
        assert not CreditNote.objects.exists()


class TestPermissions:
    @pytest.mark.parametrize("name", ["finalize", "void", "reissue", "pay", "credit"])
    def test_are_finances(self, client, owner, invoice, name):
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.groups.add(Group.objects.get(name="Viewer"))
        client.force_login(viewer)
        assert client.post(address(invoice, name)).status_code == 403
        assert state(invoice) == "FINALIZED"

    def test_decide_which_actions_are_offered(self, client, owner, invoice):
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.groups.add(Group.objects.get(name="Viewer"))
        client.force_login(viewer)
        page = client.get(reverse("console:invoice", args=[invoice.pk])).content.decode()
        assert address(invoice, "void") not in page

    def test_of_an_unknown_action_is_404(self, owner, invoice):
        assert owner.get(address(invoice, "burn")).status_code == 404
