"""The page of a customer."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import Group, User

from billing import subscribing
from billing.console.customer import timeline
from billing.models import Customer
from tests.world import catalog

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
MID_OCTOBER = datetime(2026, 10, 15, 12, tzinfo=UTC)


def page(client, key="acme"):
    with time_machine.travel(MID_OCTOBER, tick=False):
        return client.get(f"/console/customers/{key}/")


@pytest.fixture
def acme(db):
    catalog.gpu_hours()
    acme = catalog.customer("acme")
    catalog.subscription(acme, catalog.plan(catalog.component(), catalog.fee()))
    return acme


class TestPage:
    def test_shows_what_the_invoice_would_be_now(self, owner, acme):
        catalog.run_gpus("acme", datetime(2026, 10, 3, tzinfo=UTC), 12)
        answer = page(owner)
        text = answer.content.decode()
        assert answer.status_code == 200
        assert "$30.00" in text  # 12 hours at 2.50
        assert "$31.00" in text  # the fee of the whole month
        assert "$61.00" in text

    def test_counts_no_usage_of_later(self, owner, acme):
        catalog.run_gpus("acme", datetime(2026, 10, 15, 11, tzinfo=UTC), 4)
        [preview] = page(owner).context["now"].previews
        assert preview.statement.lines[0].quantity == 1

    def test_says_why_an_amount_cannot_be_computed(self, owner, acme):
        other = catalog.plan(catalog.component(), code="other")
        Customer.objects.filter(pk=acme.pk).update(name="Acme")
        catalog.subscription(catalog.customer("beta"), other, subject="beta")
        catalog.run_gpus("acme", datetime(2026, 10, 3, tzinfo=UTC), 1)
        assert page(owner).context["now"].total is not None
        unpriced = catalog.plan(catalog.component(where={"gpu_type": ["A100"]}), code="narrow")
        catalog.subscription(catalog.customer("gamma"), unpriced, subject="gamma")
        catalog.run_gpus("gamma", datetime(2026, 10, 3, tzinfo=UTC), 1)
        now = page(owner, "gamma").context["now"]
        assert now.total is None
        assert "H100" in now.previews[0].reason

    def test_shows_names_of_any_script_as_text(self, owner, acme):
        Customer.objects.filter(pk=acme.pk).update(name="<b>北京云算科技有限公司</b>")
        assert "&lt;b&gt;北京云算科技有限公司&lt;/b&gt;" in page(owner).content.decode()

    def test_of_nobody_is_404(self, owner, db):
        assert page(owner, "nobody").status_code == 404

    def test_of_a_customer_with_nothing_says_what_to_do(self, owner, db):
        catalog.customer("empty")
        text = page(owner, "empty").content.decode()
        assert "No subscription yet" in text
        assert "No subject yet" in text

    def test_hides_money_from_who_may_not_see_invoices(self, client, acme):
        user = User.objects.create_user("sales", is_staff=True)
        group = Group.objects.create(name="Sales")
        group.permissions.set(Group.objects.get(name="Viewer").permissions.exclude(codename="view_invoice"))
        user.groups.add(group)
        client.force_login(user)
        text = page(client).content.decode()
        assert "What the invoices would be now" not in text
        assert "Latest invoices" not in text
        assert "$31.00" not in text


class TestTimeline:
    def test_cuts_phases_to_the_time_shown(self, owner, acme):
        timeline = page(owner).context["timeline"]
        [bar] = timeline.bars
        [phase] = bar.stretches
        assert (phase.left, phase.kind) == ("0.000%", "phase")
        assert phase.width == "100.000%"
        assert len(timeline.ticks) <= 8

    def test_is_around_the_end_of_what_ended_long_ago(self, owner, acme):
        subscribing.cancel(subscription=acme.subscriptions.get(), end_at=NOVEMBER)
        found = timeline.of([acme.subscriptions.get()], at=datetime(2030, 1, 1, tzinfo=UTC))
        assert found.now is None
        assert [stretch.kind for stretch in found.bars[0].stretches] == ["phase"]

    def test_needs_as_many_statements_for_many_subscriptions(
        self, owner, acme, django_assert_max_num_queries
    ):
        for number in range(5):
            customer_plan = catalog.plan(catalog.fee(), code=f"fee-{number}")
            catalog.subscription(acme, customer_plan, key=f"more-{number}", subject=f"s-{number}")
        page(owner)
        with django_assert_max_num_queries(60):
            page(owner)
