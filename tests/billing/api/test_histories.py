"""/api/v1/.../history: who changed what, and when; and that nobody gets past it."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from billing import acting
from billing.invoicing import running
from billing.models import Customer, CustomerHistory, Subscription, SubscriptionHistory
from tests.billing.api.test_customers import fault
from tests.world import catalog

pytestmark = pytest.mark.django_db

ACME = {"key": "acme", "name": "Acme", "currency": "USD"}


def told(response, *fields):
    """Of each change, the latest first: by, what, kind, and the values of the fields that changed."""
    return [
        (
            each["by"],
            each["what"],
            each["kind"],
            *((value["old"], value["new"]) for value in each["values"] if value["field"] in fields),
        )
        for each in response.json()["history"]
    ]


class TestCustomer:
    def test_has_a_history_with_names(self, ask):
        ask("POST", "/customers", ACME)
        ask("PATCH", "/customers/acme", {"name": "Acme 2"})
        ask("POST", "/customers/acme/subjects", {"subject": "team-1", "start_at": "2026-10-01T00:00:00Z"})
        assert told(ask("GET", "/customers/acme/history"), "name", "subject", "end_at") == [
            ("API key test", "subject", "added", (None, "team-1")),
            ("API key test", "customer", "changed", ("Acme", "Acme 2")),
            ("API key test", "customer", "added", (None, "Acme")),
        ]

    def test_names_only_what_changed(self, ask):
        ask("POST", "/customers", ACME)
        ask("PATCH", "/customers/acme", {"name": "Acme 2", "locale": "en"})
        change = ask("GET", "/customers/acme/history").json()["history"][0]
        assert change["values"] == [{"field": "name", "old": "Acme", "new": "Acme 2"}]
        assert change["through"] == "api"

    def test_is_told_whoever_made_the_change(self, ask):
        customer = catalog.customer("acme")
        Customer.objects.update(name="by hand")
        with connection.cursor() as cursor:
            cursor.execute("update billing_customer set name = 'by SQL' where id = %s", [customer.pk])
        with acting.acting(by="nobody in particular", through="test"):
            Customer.objects.update(name="in a block")
        assert told(ask("GET", "/customers/acme/history"), "name") == [
            ("nobody in particular", "customer", "changed", ("by SQL", "in a block")),
            ("", "customer", "changed", ("by hand", "by SQL")),
            ("", "customer", "changed", ("Acme", "by hand")),
            ("", "customer", "added", (None, "Acme")),
        ]

    def test_is_told_page_by_page(self, ask):
        ask("POST", "/customers", ACME)
        for name in ("b", "c", "d"):
            ask("PATCH", "/customers/acme", {"name": name})
        first = ask("GET", "/customers/acme/history?limit=3")
        assert [each[3] for each in told(first, "name")] == [("c", "d"), ("b", "c"), ("Acme", "b")]
        last = ask("GET", f"/customers/acme/history?limit=3&cursor={first.json()['next']}")
        assert told(last, "name") == [("API key test", "customer", "added", (None, "Acme"))]
        assert last.json()["next"] is None

    @pytest.mark.parametrize("cursor", ["x", "2026-10-01T00:00:00Z_0", "2026-10-01T00:00:00Z_99_1", "_0_1"])
    def test_refuses_a_cursor_of_another_making(self, ask, cursor):
        catalog.customer("acme")
        refused = ask("GET", f"/customers/acme/history?cursor={cursor}")
        assert fault(refused) == (400, "invalid", "cursor")

    def test_is_told_of_nobody_else(self, ask):
        catalog.customer("other")
        ask("POST", "/customers", ACME)
        assert len(ask("GET", "/customers/acme/history").json()["history"]) == 1
        assert ask("GET", "/customers/none/history").status_code == 404


class TestConsole:
    def test_is_named_by_its_user(self, ask, admin_client):
        customer = catalog.customer("acme")
        page = f"/console/assign-subject/?customer={customer.pk}"
        answer = admin_client.post(page, {"subject": "team-1", "start_at": "2026-10-01T00:00"})
        assert answer.status_code == 302
        change = ask("GET", "/customers/acme/history").json()["history"][0]
        assert (change["by"], change["through"], change["what"]) == ("admin", "console", "subject")


class TestSubscription:
    @pytest.fixture
    def acme(self):
        catalog.seller()
        catalog.gpu_hours()
        catalog.plan(code="pro")
        return catalog.subscription(catalog.customer("acme"), catalog.plan(), key="acme-gpu")

    def test_has_a_history_with_phases_and_pauses(self, ask, acme):
        at = "2026-10-11T12:00:00Z"
        ask("POST", "/subscriptions/acme-gpu/plan", {"plan": "pro", "effective_at": at})
        ask("POST", "/subscriptions/acme-gpu/pause", {"effective_at": at})
        ask("POST", "/subscriptions/acme-gpu/resume", {"effective_at": at})
        shown = told(ask("GET", "/subscriptions/acme-gpu/history"), "plan", "end_at")
        assert [each[:3] for each in shown[:4]] == [
            ("API key test", "pause", "removed"),
            ("API key test", "pause", "added"),
            ("API key test", "phase", "added"),
            ("API key test", "phase", "changed"),
        ]
        assert shown[2][3] == (None, "pro")
        assert shown[3][3][1].startswith("2026-10-11T12:00:00")

    def test_is_not_filled_by_the_invoice_run(self, acme):
        before = SubscriptionHistory.objects.count()
        running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
        assert Subscription.objects.get().next_billing_at == catalog.NOVEMBER.end
        assert SubscriptionHistory.objects.count() == before


class TestPlan:
    def test_has_a_history_with_its_versions(self, ask, tmp_path):
        catalog.gpu_hours()
        ask("POST", "/plans", catalog.document())
        file = tmp_path / "plan.yaml"
        file.write_text(ask("GET", "/plans/gpu-cloud/document", accept="application/yaml").content.decode())
        file.write_text(file.read_text().replace("GPU Cloud", "GPU Cloud 2").replace("2.5", "3"))
        call_command("plans", "apply", str(file))
        assert told(ask("GET", "/plans/gpu-cloud/history"), "name", "number") == [
            ("plans apply", "version", "added", (None, 2)),
            ("plans apply", "plan", "changed", ("GPU Cloud", "GPU Cloud 2")),
            ("API key test", "version", "added", (None, 1)),
            ("API key test", "plan", "added", (None, "GPU Cloud")),
        ]


class TestRows:
    @pytest.mark.parametrize(
        "act", ["update billing_customerhistory set name = 'x'", "delete from billing_customerhistory"]
    )
    def test_are_never_changed(self, act):
        catalog.customer("acme")
        assert CustomerHistory.objects.count() == 1
        with pytest.raises(DatabaseError, match="Cannot update or delete rows"), transaction.atomic():
            connection.cursor().execute(act)
