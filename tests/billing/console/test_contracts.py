"""Subscribing, and assigning subjects."""

from datetime import UTC, date, datetime

import pytest

from billing.models import Customer, CustomerSubject, Subscription
from tests.world import catalog

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    catalog.gpu_hours()
    return catalog.plan()


@pytest.fixture
def acme():
    return catalog.customer("acme")


class TestSubscribe:
    def posted(self, client, plan, **fields):
        usual = {"customer": "acme", "plan": plan.pk, "key": "acme-gpu", "start_at": "2026-10-01T00:00"}
        return client.post("/console/subscribe/", {**usual, **fields})

    def test_makes_a_subscription(self, owner, plan, acme):
        answer = self.posted(owner, plan, overrides='{"gpu": {"minimum": "10"}}')
        made = Subscription.objects.get()
        assert answer.url == "/console/subscriptions/acme-gpu/"
        assert (made.customer, made.start_at) == (acme, datetime(2026, 10, 1, tzinfo=UTC))
        assert made.anchor_date == date(2026, 10, 1)
        assert made.phases.get().overrides == {"gpu": {"minimum": "10"}}

    @pytest.mark.parametrize(
        ("fields", "field", "message"),
        [
            ({"customer": "nobody"}, "customer", "There is no customer with the key “nobody”."),
            ({"end_at": "2026-09-01T00:00"}, "end_at", "would end before it starts"),
            ({"overrides": "{gpu}"}, "overrides", "This is no JSON"),
            ({"overrides": "[]"}, "overrides", "Write a JSON object"),
            ({"overrides": '{"gup": {"minimum": "1"}}'}, "overrides", "did you mean gpu?"),
            ({"start_at": "soon"}, "start_at", "Enter a valid date/time."),
        ],
    )
    def test_says_beside_the_field_what_cannot_be(self, owner, plan, acme, fields, field, message):
        answer = self.posted(owner, plan, **fields)
        assert answer.status_code == 400
        assert message in " ".join(answer.context["form"].errors[field])
        assert not Subscription.objects.exists()

    def test_refuses_another_currency(self, owner, plan):
        catalog.customer("acme", currency="EUR")
        assert "acme pays in EUR" in self.posted(owner, plan).content.decode()

    def test_starts_from_the_customer_in_the_address(self, owner, plan, acme):
        page = owner.get(f"/console/subscribe/?customer={acme.pk}").content.decode()
        assert 'value="acme"' in page

    @pytest.mark.parametrize(("code", "is_chosen"), [("gpu-cloud", True), ("none", False), ("%00", False)])
    def test_starts_from_the_plan_in_the_address(self, owner, plan, code, is_chosen):
        form = owner.get(f"/console/subscribe/?plan={code}").context["form"]
        assert (form.initial["plan"] == plan) is is_chosen

    def test_says_that_there_is_no_plan_yet(self, owner):
        assert "There is no plan yet" in owner.get("/console/subscribe/").content.decode()


class TestAssign:
    def posted(self, client, customer, **fields):
        usual = {"subject": "tenant-1", "start_at": "2026-10-01T00:00"}
        return client.post(f"/console/assign-subject/?customer={customer.pk}", {**usual, **fields})

    def test_assigns_a_subject(self, owner, acme):
        answer = self.posted(owner, acme)
        made = CustomerSubject.objects.get()
        assert answer.url == "/console/customers/acme/"
        assert (made.subject, made.validity.lower, made.validity.upper) == (
            "tenant-1",
            datetime(2026, 10, 1, tzinfo=UTC),
            None,
        )

    def test_refuses_a_second_payer(self, owner, acme):
        self.posted(owner, catalog.customer("globex"))
        answer = self.posted(owner, acme)
        assert answer.status_code == 400
        assert "Somebody pays for the subject tenant-1 already" in answer.content.decode()
        assert CustomerSubject.objects.count() == 1

    def test_refuses_an_end_that_is_no_later(self, owner, acme):
        answer = self.posted(owner, acme, end_at="2026-10-01T00:00")
        assert answer.context["form"].errors["end_at"] == ["The end must be later than the start."]

    def test_offers_only_the_customers_own_subscriptions(self, owner, plan, acme):
        catalog.subscription(catalog.customer("globex"), plan)
        answer = self.posted(owner, acme, subscription=Subscription.objects.get().pk)
        assert "subscription" in answer.context["form"].errors
        assert Customer.objects.count() == 2
