"""The page of a subscription, and what can be done with it."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import Group, User

from billing.models import Subscription
from tests.world import catalog

pytestmark = pytest.mark.django_db

MID_OCTOBER = datetime(2026, 10, 15, 12, tzinfo=UTC)
ADDRESS = "/console/subscriptions/acme-gpu-cloud/"
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def mid_october():
    with time_machine.travel(MID_OCTOBER, tick=False):
        yield


@pytest.fixture
def subscription(owner):
    catalog.gpu_hours()
    return catalog.subscription(catalog.customer("acme"), catalog.plan(catalog.component(), catalog.fee()))


def do(client, name, **values):
    return client.post(f"/console/subscriptions/do/{name}/acme-gpu-cloud/", values)


def page(client):
    return client.get(ADDRESS).content.decode()


class TestPage:
    def test_shows_phases_periods_and_what_can_be_done(self, owner, subscription):
        text = page(owner)
        assert "since 2026-10-01" in text
        assert "every month, counted from 1 October 2026 in UTC" in text
        assert "/console/subscriptions/do/cancel/acme-gpu-cloud/" in text
        assert "/console/subscriptions/do/resume/acme-gpu-cloud/" not in text

    def test_of_nothing_is_404(self, owner, db):
        assert owner.get(ADDRESS).status_code == 404

    def test_takes_keys_with_slashes_and_chinese(self, owner, subscription):
        Subscription.objects.update(key="北京/gpu 1")
        assert owner.get("/console/subscriptions/北京/gpu 1/").status_code == 200


class TestActions:
    def test_cancel_at_the_end_of_the_period(self, owner, subscription):
        assert do(owner, "cancel", when="period_end").status_code == 302
        assert Subscription.objects.get().end_at == NOVEMBER
        assert "Take the end back" in page(owner)

    def test_keep_takes_the_end_back(self, owner, subscription):
        do(owner, "cancel", when="period_end")
        do(owner, "keep")
        assert Subscription.objects.get().end_at is None

    def test_pause_now_and_resume_at_an_instant(self, owner, subscription):
        do(owner, "pause", when="now")
        assert "Resume" in page(owner)
        do(owner, "resume", when="typed", effective_at="2026-10-20T00:00")
        [pause] = Subscription.objects.get().pauses.all()
        assert (pause.validity.lower, pause.validity.upper) == (
            MID_OCTOBER,
            datetime(2026, 10, 20, tzinfo=UTC),
        )

    def test_change_the_plan_at_an_instant(self, owner, subscription):
        other = catalog.plan(catalog.fee(amount="62.00"), code="bigger", name="Bigger")
        do(owner, "plan", plan=other.pk, overrides="", when="typed", effective_at="2026-10-20T00:00")
        assert [phase.plan.code for phase in subscription.phases.order_by("validity")] == [
            "gpu-cloud",
            "bigger",
        ]
        assert "Bigger" in page(owner)

    def test_change_overrides_of_the_coming_periods(self, owner, subscription):
        do(owner, "overrides", overrides='{"fee": {"quantity": "3"}}', when="period_end")
        last = subscription.phases.order_by("validity").last()
        assert (last.validity.lower, last.overrides) == (NOVEMBER, {"fee": {"quantity": "3"}})

    def test_says_beside_the_form_what_cannot_be(self, owner, subscription):
        refused = do(owner, "overrides", overrides='{"nothing": {"quantity": "3"}}', when="now")
        assert refused.status_code == 400
        assert "nothing" in refused.content.decode()

    def test_needs_the_instant_that_was_promised(self, owner, subscription):
        refused = do(owner, "cancel", when="typed")
        assert refused.status_code == 400
        assert "Say which instant." in refused.content.decode()
        assert Subscription.objects.get().end_at is None

    def test_are_not_the_viewers(self, client, owner, subscription):
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.groups.add(Group.objects.get(name="Viewer"))
        client.force_login(viewer)
        assert do(client, "cancel", when="now").status_code == 403
        assert "Cancel" not in page(client)
