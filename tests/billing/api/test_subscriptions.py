"""/api/v1/subscriptions and the subjects of customers: who is on which plan, and who pays for what."""

from __future__ import annotations

import pytest

from billing.models import CustomerSubject, Subscription
from tests.billing.api.test_customers import fault
from tests.world import catalog

pytestmark = pytest.mark.django_db

ON_GPU = {"key": "acme-gpu", "customer": "acme", "plan": "gpu-cloud", "start_at": "2026-10-01T00:00:00Z"}


@pytest.fixture
def acme():
    """A customer, and a plan in the same currency."""
    catalog.gpu_hours()
    catalog.plan()
    return catalog.customer("acme")


class TestSubscriptions:
    def test_are_made_and_read_with_their_phases(self, ask, acme):
        overrides = {"gpu": {"discount_percent": "10"}}
        made = ask("POST", "/subscriptions", {**ON_GPU, "overrides": overrides})
        assert (made.status_code, made["Location"]) == (201, "/api/v1/subscriptions/acme-gpu")
        body = made.json()
        assert body == {
            "key": "acme-gpu",
            "customer": "acme",
            "currency": "USD",
            "timezone": "UTC",
            "anchor_date": "2026-10-01",
            "start_at": "2026-10-01T00:00:00Z",
            "end_at": None,
            "trial_end_at": None,
            "next_billing_at": "2026-11-01T00:00:00Z",
            "created_at": body["created_at"],
            "phases": [
                {
                    "plan": "gpu-cloud",
                    "start_at": "2026-10-01T00:00:00Z",
                    "end_at": None,
                    "overrides": overrides,
                }
            ],
            "pauses": [],
        }
        assert ask("GET", "/subscriptions/acme-gpu").json() == body

    def test_are_listed_by_key_and_by_customer(self, ask, acme):
        other = catalog.customer("other")
        plan = catalog.plan(code="second")
        for payer, key in ((acme, "b"), (other, "c"), (other, "a")):
            catalog.subscription(payer, plan, key=key, subject=key)
        page = ask("GET", "/subscriptions?limit=2").json()
        assert ([each["key"] for each in page["subscriptions"]], page["next"]) == (["a", "b"], "b")
        theirs = ask("GET", "/subscriptions?customer=other").json()
        assert [each["key"] for each in theirs["subscriptions"]] == ["a", "c"]
        assert ask("GET", "/subscriptions?customer=nobody").json() == {"subscriptions": [], "next": None}

    @pytest.mark.parametrize(
        ("members", "status", "code", "field"),
        [
            ({"customer": "nobody"}, 400, "invalid", "customer"),
            ({"plan": "nothing"}, 400, "invalid", "plan"),
            ({"start_at": "yesterday"}, 400, "invalid", "start_at"),
            ({"end_at": "2026-10-01T00:00:00Z"}, 400, "subscription_ends_before_its_start", "end_at"),
            ({"anchor_date": "2026-02-30"}, 400, "invalid", "anchor_date"),
            ({"overrides": []}, 400, "invalid", "overrides"),
            ({"overrides": {"gpus": {}}}, 400, "unknown_key", "overrides.gpus"),
            ({"overrides": {"gpu": {"price": 5}}}, 400, "invalid", "overrides.gpu.price"),
            ({"trial": 7}, 400, "invalid", "trial"),
        ],
    )
    def test_name_what_is_wrong(self, ask, acme, members, status, code, field):
        assert fault(ask("POST", "/subscriptions", {**ON_GPU, **members})) == (status, code, field)
        assert not Subscription.objects.exists()

    def test_refuse_what_does_not_fit_what_is_there(self, ask, acme):
        catalog.plan(code="in-euro", currency="EUR")
        refused = ask("POST", "/subscriptions", {**ON_GPU, "plan": "in-euro"})
        assert fault(refused) == (409, "currency_differs", "plan")
        ask("POST", "/subscriptions", ON_GPU)
        again = ask("POST", "/subscriptions", ON_GPU)
        assert fault(again) == (409, "subscription_key_taken", "key")

    def test_that_are_unknown_are_not_found(self, ask):
        assert fault(ask("GET", "/subscriptions/none")) == (404, "not_found", None)


class TestSubjects:
    def test_are_assigned_listed_and_charged(self, ask, acme):
        ask("POST", "/subscriptions", ON_GPU)
        until = {"start_at": "2026-10-01T02:00:00+02:00", "end_at": "2026-12-01T00:00:00Z"}
        made = ask("POST", "/customers/acme/subjects", {"subject": "team-1", **until})
        body = made.json()
        assert (made.status_code, made["Location"]) == (201, f"/api/v1/customers/acme/subjects/{body['id']}")
        assert body == {
            "id": body["id"],
            "subject": "team-1",
            "start_at": "2026-10-01T00:00:00Z",
            "end_at": "2026-12-01T00:00:00Z",
            "subscription": None,
        }
        charged = ask("POST", f"/customers/acme/subjects/{body['id']}/charge", {"subscription": "acme-gpu"})
        assert (charged.status_code, charged.json()) == (200, {**body, "subscription": "acme-gpu"})
        assert ask("GET", "/customers/acme/subjects").json() == {"subjects": [charged.json()], "next": None}
        assert ask("GET", f"/customers/acme/subjects/{body['id']}").json() == charged.json()

    def test_have_one_payer(self, ask, acme):
        catalog.customer("other")
        whole = {"subject": "team-1", "start_at": "2026-10-01T00:00:00Z"}
        assert ask("POST", "/customers/acme/subjects", whole).status_code == 201
        later = {**whole, "start_at": "2026-11-01T00:00:00Z"}
        refused = ask("POST", "/customers/other/subjects", later)
        assert fault(refused) == (409, "subject_already_paid_for", "subject")
        assert CustomerSubject.objects.count() == 1

    @pytest.mark.parametrize(
        ("members", "code", "field"),
        [
            ({"end_at": "2026-10-01T00:00:00Z"}, "validity_empty", "end_at"),
            ({"subscription": "other-gpu"}, "invalid", "subscription"),
            ({"subject": ""}, "invalid", "subject"),
            ({"until": "2027-01-01T00:00:00Z"}, "invalid", "until"),
        ],
    )
    def test_name_what_is_wrong(self, ask, acme, members, code, field):
        other = catalog.customer("other")
        catalog.subscription(other, catalog.plan(code="second"), key="other-gpu")
        whole = {"subject": "team-1", "start_at": "2026-10-01T00:00:00Z"}
        refused = ask("POST", "/customers/acme/subjects", {**whole, **members})
        assert fault(refused) == (400, code, field)

    def test_follow_each_other_in_pages(self, ask, acme):
        for name in ("z", "a", "m"):
            ask("POST", "/customers/acme/subjects", {"subject": name, "start_at": "2026-10-01T00:00:00Z"})
        first = ask("GET", "/customers/acme/subjects?limit=2").json()
        assert [each["subject"] for each in first["subjects"]] == ["z", "a"]
        last = ask("GET", f"/customers/acme/subjects?limit=2&cursor={first['next']}").json()
        assert ([each["subject"] for each in last["subjects"]], last["next"]) == (["m"], None)

    @pytest.mark.parametrize("cursor", ["x", "-1", "9999999999999999999", "1.5", ""])
    def test_refuse_a_cursor_of_another_making(self, ask, acme, cursor):
        assert fault(ask("GET", f"/customers/acme/subjects?cursor={cursor}")) == (400, "invalid", "cursor")

    def test_of_another_customer_are_not_found(self, ask, acme):
        catalog.customer("other")
        whole = {"subject": "team-1", "start_at": "2026-10-01T00:00:00Z"}
        id = ask("POST", "/customers/acme/subjects", whole).json()["id"]
        assert ask("GET", f"/customers/other/subjects/{id}").status_code == 404
        assert ask("GET", "/customers/acme/subjects/99999999999999999999").status_code == 404
