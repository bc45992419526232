"""What may become of subscriptions, subjects and customers, each verb an address of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.invoicing import running
from billing.models import SubscriptionPhase
from tests.billing.api.test_customers import fault
from tests.world import catalog

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 11, 12, tzinfo=UTC)
AT_NOON = "2026-10-11T12:00:00Z"
AT_MONTHS_END = "2026-11-01T00:00:00Z"


@pytest.fixture(autouse=True)
def acme(monkeypatch):
    """On 11 October at noon: a customer on a plan since 1 October, and a dearer plan."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    catalog.gpu_hours()
    catalog.plan(catalog.component(unit_amount="5"), catalog.fee("seats", "9"), code="pro")
    customer = catalog.customer("acme")
    catalog.subscription(customer, catalog.plan(), key="acme-gpu")
    return customer


def phases(response):
    assert response.status_code == 200, response.content
    return [(each["plan"], each["start_at"], each["end_at"]) for each in response.json()["phases"]]


class TestPlanChange:
    def test_holds_from_now_on_if_nothing_else_is_said(self, ask):
        changed = ask("POST", "/subscriptions/acme-gpu/plan", {"plan": "pro"})
        assert phases(changed) == [
            ("gpu-cloud", "2026-10-01T00:00:00Z", AT_NOON),
            ("pro", AT_NOON, None),
        ]

    @pytest.mark.parametrize("when", ["period_end", AT_MONTHS_END])
    def test_may_wait_for_the_end_of_the_period(self, ask, when):
        body = {"plan": "pro", "effective_at": when, "overrides": {"gpu": {"discount_percent": "5"}}}
        changed = ask("POST", "/subscriptions/acme-gpu/plan", body)
        assert phases(changed)[1] == ("pro", AT_MONTHS_END, None)
        assert changed.json()["phases"][1]["overrides"] == {"gpu": {"discount_percent": "5"}}

    def test_is_done_once(self, ask):
        first = ask("POST", "/subscriptions/acme-gpu/plan", {"plan": "pro"}, idempotency_key="k")
        again = ask("POST", "/subscriptions/acme-gpu/plan", {"plan": "pro"}, idempotency_key="k")
        assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
        assert SubscriptionPhase.objects.count() == 2

    @pytest.mark.parametrize(
        ("body", "refusal"),
        [
            ({"plan": "none"}, (400, "invalid", "plan")),
            ({"plan": "pro", "effective_at": "tomorrow"}, (400, "invalid", "effective_at")),
            ({"plan": "pro", "overrides": {"x": {}}}, (400, "unknown_key", "overrides.x")),
            ({"plan": "gpu-cloud"}, (409, "nothing_changes", None)),
            (
                {"plan": "pro", "effective_at": "2026-09-01T00:00:00Z"},
                (409, "subscription_not_begun", "effective_at"),
            ),
        ],
    )
    def test_names_what_is_wrong_and_does_nothing(self, ask, body, refusal):
        assert fault(ask("POST", "/subscriptions/acme-gpu/plan", body)) == refusal
        assert SubscriptionPhase.objects.count() == 1

    def test_leaves_what_was_invoiced(self, ask):
        catalog.seller()
        running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
        refused = ask("POST", "/subscriptions/acme-gpu/plan", {"plan": "pro"})
        assert fault(refused) == (409, "period_finalized", "effective_at")


class TestCancellation:
    def test_ends_the_subscription_and_can_be_taken_back(self, ask):
        ended = ask("POST", "/subscriptions/acme-gpu/cancel", {"effective_at": "period_end"})
        assert ended.json()["end_at"] == AT_MONTHS_END
        assert phases(ended) == [("gpu-cloud", "2026-10-01T00:00:00Z", AT_MONTHS_END)]
        kept = ask("POST", "/subscriptions/acme-gpu/keep")
        assert kept.json()["end_at"] is None
        assert fault(ask("POST", "/subscriptions/acme-gpu/keep")) == (409, "nothing_changes", None)

    def test_may_be_now(self, ask):
        assert ask("POST", "/subscriptions/acme-gpu/cancel").json()["end_at"] == AT_NOON

    def test_does_not_lie_before_the_start(self, ask):
        refused = ask("POST", "/subscriptions/acme-gpu/cancel", {"effective_at": "2026-10-01T00:00:00Z"})
        assert fault(refused) == (400, "subscription_ends_before_its_start", "effective_at")


class TestPause:
    def test_begins_and_ends(self, ask):
        paused = ask("POST", "/subscriptions/acme-gpu/pause", {"effective_at": "2026-10-05T00:00:00Z"})
        assert paused.json()["pauses"] == [{"start_at": "2026-10-05T00:00:00Z", "end_at": None}]
        again = ask("POST", "/subscriptions/acme-gpu/pause")
        assert fault(again) == (409, "already_paused", "effective_at")
        resumed = ask("POST", "/subscriptions/acme-gpu/resume")
        assert resumed.json()["pauses"] == [{"start_at": "2026-10-05T00:00:00Z", "end_at": AT_NOON}]
        assert fault(ask("POST", "/subscriptions/acme-gpu/resume")) == (409, "not_paused", "effective_at")

    def test_has_an_end_after_its_beginning(self, ask):
        refused = ask("POST", "/subscriptions/acme-gpu/pause", {"until_at": AT_NOON})
        assert fault(refused) == (400, "pause_empty", "until_at")


class TestTerms:
    def test_are_overrides_from_then_on(self, ask):
        overrides = {"gpu": {"price": {"model": "per_unit", "unit_amount": "2"}}}
        changed = ask("POST", "/subscriptions/acme-gpu/overrides", {"overrides": overrides})
        assert phases(changed)[1] == ("gpu-cloud", AT_NOON, None)
        assert [each["overrides"] for each in changed.json()["phases"]] == [{}, overrides]

    def test_are_quantities_of_fixed_components(self, ask):
        ask("POST", "/subscriptions/acme-gpu/plan", {"plan": "pro"})
        more = {"component": "seats", "quantity": "7", "effective_at": "period_end"}
        changed = ask("POST", "/subscriptions/acme-gpu/quantity", more)
        assert changed.json()["phases"][-1]["overrides"] == {"seats": {"quantity": "7"}}
        refused = ask("POST", "/subscriptions/acme-gpu/quantity", {**more, "component": "gpu"})
        assert fault(refused) == (400, "invalid", "overrides.gpu.quantity")

    def test_are_the_date_from_which_periods_are_counted(self, ask):
        changed = ask("POST", "/subscriptions/acme-gpu/anchor", {"anchor_date": "2026-11-15"})
        assert changed.json()["anchor_date"] == "2026-11-15"

    def test_of_a_subscription_that_is_unknown_are_not_found(self, ask):
        assert ask("POST", "/subscriptions/none/pause").status_code == 404

    def test_need_the_scope_to_manage(self, ask):
        assert ask("POST", "/subscriptions/acme-gpu/cancel", scopes=("read",)).status_code == 403


class TestSubject:
    @pytest.fixture
    def address(self, ask):
        [subject] = ask("GET", "/customers/acme/subjects").json()["subjects"]
        return f"/customers/acme/subjects/{subject['id']}"

    def test_is_let_go(self, ask, address):
        ended = ask("POST", f"{address}/end", {"effective_at": "2026-10-20T00:00:00Z"})
        assert (ended.status_code, ended.json()["end_at"]) == (200, "2026-10-20T00:00:00Z")
        later = ask("POST", f"{address}/end", {"effective_at": "2026-10-21T00:00:00Z"})
        assert fault(later) == (409, "nothing_changes", None)
        before = ask("POST", f"{address}/end", {"effective_at": "2025-01-01T00:00:00Z"})
        assert fault(before) == (400, "validity_empty", "effective_at")
        assert ask("GET", address).json() == ended.json()

    def test_is_not_let_go_from_what_was_invoiced(self, ask, address):
        catalog.seller()
        running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
        assert fault(ask("POST", f"{address}/end")) == (409, "subject_invoiced_otherwise", "subject")

    def test_moves_to_another_customer(self, ask, address):
        catalog.customer("other")
        moved = ask("POST", f"{address}/move", {"customer": "other"})
        assert moved.status_code == 200
        assert (moved.json()["subject"], moved.json()["start_at"]) == ("acme", AT_NOON)
        assert ask("GET", "/customers/other/subjects").json()["subjects"] == [moved.json()]
        assert ask("GET", address).json()["end_at"] == AT_NOON


class TestMerge:
    def test_gives_everything_to_another_customer(self, ask):
        other = catalog.customer("other")
        catalog.subscription(other, catalog.plan(), key="other-gpu")
        merged = ask("POST", "/customers/acme/merge", {"into": "other", "effective_at": AT_MONTHS_END})
        assert (merged.status_code, merged.json()["merged_into"]) == (200, "other")
        subjects = ask("GET", "/customers/other/subjects").json()["subjects"]
        assert {each["subject"] for each in subjects} == {"acme", "other"}
        assert ask("GET", "/subscriptions/acme-gpu").json()["end_at"] == AT_MONTHS_END

    def test_is_with_somebody_else(self, ask):
        refused = ask("POST", "/customers/acme/merge", {"into": "acme"})
        assert fault(refused) == (400, "merged_with_itself", "into")
        assert fault(ask("POST", "/customers/acme/merge", {"into": "none"})) == (400, "invalid", "into")


class TestTimezone:
    def test_counts_from_the_next_period_on(self, ask):
        changed = ask("PATCH", "/customers/acme", {"timezone": "Asia/Shanghai", "name": "Acme 2"})
        assert (changed.json()["timezone"], changed.json()["name"]) == ("Asia/Shanghai", "Acme 2")
        assert ask("GET", "/subscriptions/acme-gpu").json()["timezone"] == "Asia/Shanghai"

    def test_is_left_when_something_else_is_wrong(self, ask):
        refused = ask("PATCH", "/customers/acme", {"timezone": "Asia/Shanghai", "email": "nobody"})
        assert fault(refused)[2] == "email"
        assert ask("GET", "/customers/acme").json()["timezone"] == "UTC"


class TestPhases:
    def test_may_be_agreed_from_the_beginning(self, ask):
        catalog.customer("new")
        body = {
            "key": "new-gpu",
            "customer": "new",
            "plan": "gpu-cloud",
            "start_at": "2026-11-01T00:00:00Z",
            "trial_end_at": "2026-11-15T00:00:00Z",
            "then": [{"plan": "pro", "start_at": "2027-01-01T00:00:00Z"}],
        }
        made = ask("POST", "/subscriptions", body)
        assert made.status_code == 201
        assert made.json()["trial_end_at"] == "2026-11-15T00:00:00Z"
        assert [(each["plan"], each["end_at"]) for each in made.json()["phases"]] == [
            ("gpu-cloud", "2027-01-01T00:00:00Z"),
            ("pro", None),
        ]
        unknown = {**body, "key": "x", "then": [{"plan": "none", "start_at": "2027-01-01T00:00:00Z"}]}
        assert fault(ask("POST", "/subscriptions", unknown)) == (400, "invalid", "then[0].plan")
        disordered = {**body, "key": "x", "then": [{"plan": "pro", "start_at": "2026-10-01T00:00:00Z"}]}
        assert fault(ask("POST", "/subscriptions", disordered)) == (400, "phases_out_of_order", "then")
        ended = {**body, "key": "x", "trial_end_at": "2026-11-01T00:00:00Z"}
        assert fault(ask("POST", "/subscriptions", ended)) == (
            400,
            "trial_ends_before_its_start",
            "trial_end_at",
        )
