"""/api/v1/customers: who is invoiced."""

from __future__ import annotations

import pytest

from billing.models import Customer
from tests.world import catalog

pytestmark = pytest.mark.django_db

ACME = {
    "key": "acme",
    "name": "Acme",
    "legal_name": "Acme GmbH 有限公司",
    "tax_id": "DE123",
    "address": "Weg 1\n10115 Berlin",
    "email": "bills@acme.example",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "locale": "de",
    "due_days": 14,
}


def fault(response):
    """(status, code, field) of a refusal."""
    body = response.json()
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, body["code"], body["field"]


class TestCustomers:
    def test_are_made_and_read(self, ask):
        made = ask("POST", "/customers", ACME)
        assert (made.status_code, made["Location"]) == (201, "/api/v1/customers/acme")
        assert {name: made.json()[name] for name in ACME} == ACME
        assert (made.json()["grace_hours"], made.json()["merged_into"]) == (None, None)
        read = ask("GET", "/customers/acme")
        assert (read.status_code, read.json()) == (200, made.json())

    def test_are_in_utc_unless_told_otherwise(self, ask):
        made = ask("POST", "/customers", {"key": "a", "name": "A", "currency": "USD"}).json()
        assert (made["timezone"], made["locale"]) == ("UTC", "en")

    def test_follow_each_other_by_key_page_by_page(self, ask):
        for key in ("c", "a", "b"):
            catalog.customer(key)
        first = ask("GET", "/customers?limit=2").json()
        assert ([each["key"] for each in first["customers"]], first["next"]) == (["a", "b"], "b")
        last = ask("GET", "/customers?limit=2&cursor=b").json()
        assert ([each["key"] for each in last["customers"]], last["next"]) == (["c"], None)

    def test_have_a_key_each(self, ask):
        ask("POST", "/customers", ACME)
        assert fault(ask("POST", "/customers", ACME)) == (409, "customer_key_taken", "key")
        assert Customer.objects.count() == 1

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("currency", "XXQ"),
            ("timezone", "Europe/Nowhere"),
            ("email", "nobody"),
            ("key", "a/b"),
            ("key", ".."),
            ("key", "a "),
            ("key", ""),
            ("name", 7),
            ("due_days", -1),
            ("nmae", "x"),
            ("id", 7),
            ("legal_name", None),
        ],
    )
    def test_name_the_member_that_is_wrong(self, ask, member, value):
        response = ask("POST", "/customers", {**ACME, member: value})
        assert (response.status_code, response.json()["field"]) == (400, member)
        assert not Customer.objects.exists()

    def test_suggest_what_was_meant(self, ask):
        detail = ask("POST", "/customers", {**ACME, "legalname": "x"}).json()["detail"]
        assert detail == "legalname: there is no such member, did you mean legal_name?"

    @pytest.mark.parametrize("body", ["[]", "7", '"acme"', "{", '{"key": "a", "key": "b"}'])
    def test_take_one_object(self, ask, body):
        assert ask("POST", "/customers", body).status_code == 400

    def test_need_the_scope_that_the_act_has(self, ask):
        assert fault(ask("POST", "/customers", ACME, scopes=("read",)))[:2] == (403, "permission_denied")
        assert ask("GET", "/customers", scopes=("manage",)).status_code == 403
        assert ask("PATCH", "/customers/acme", {}, scopes=("read",)).status_code == 403

    @pytest.mark.parametrize(
        "address", ["/customers/nobody", "/customers/no%00body", "/customers/nobody/usage"]
    )
    def test_that_are_unknown_are_not_found(self, ask, address):
        assert fault(ask("GET", address)) == (404, "not_found", None)

    @pytest.mark.parametrize("address", ["/customers?page=2", "/customers/acme?expand=1"])
    def test_refuse_parameters_that_nobody_knows(self, ask, address):
        catalog.customer("acme")
        assert ask("GET", address).status_code == 400

    def test_refuse_parameters_beside_a_body(self, ask):
        assert fault(ask("POST", "/customers?dry_run=true", ACME))[2] == "dry_run"
        assert not Customer.objects.exists()


class TestChange:
    def test_changes_what_the_body_names_and_nothing_else(self, ask):
        before = ask("POST", "/customers", ACME).json()
        changed = ask("PATCH", "/customers/acme", {"name": "Acme 2", "due_days": None})
        assert (changed.status_code, changed.json()) == (200, {**before, "name": "Acme 2", "due_days": None})
        assert ask("GET", "/customers/acme").json() == changed.json()

    @pytest.mark.parametrize("member", ["key", "currency", "created_at"])
    def test_leaves_what_invoices_stand_on(self, ask, member):
        before = ask("POST", "/customers", ACME).json()
        assert fault(ask("PATCH", "/customers/acme", {member: "USD"}))[::2] == (400, member)
        assert ask("GET", "/customers/acme").json() == before

    def test_refuses_a_wrong_value_and_changes_nothing(self, ask):
        before = ask("POST", "/customers", ACME).json()
        refused = ask("PATCH", "/customers/acme", {"name": "New", "timezone": "Mars"})
        assert fault(refused) == (400, "timezone_unknown", "timezone")
        assert ask("GET", "/customers/acme").json() == before

    def test_needs_something_to_change(self, ask):
        catalog.customer("acme")
        assert ask("PATCH", "/customers/acme", {}).status_code == 400
