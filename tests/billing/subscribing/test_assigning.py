"""Subjects that move to another payer, customers that are merged, and the locks that are taken for it."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext

from billing import subscribing
from billing.invoicing import running
from billing.models import CustomerSubject
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER = catalog.OCTOBER


def october(day, hour=0):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


@pytest.fixture
def plan(db):
    catalog.gpu_hours()
    return catalog.plan()


@pytest.fixture
def acme(plan):
    return catalog.customer("acme")


@pytest.fixture
def beta(plan):
    return catalog.customer("beta")


def pays(customer, subject="vc1", start=OCTOBER.start, end=None, subscription=None):
    return subscribing.assign_subject(
        customer=customer, subject=subject, validity=DateTimeTZRange(start, end), subscription=subscription
    )


def payers(subject="vc1"):
    rows = CustomerSubject.objects.filter(subject=subject).order_by("validity")
    return [(row.customer.key, row.validity.lower, row.validity.upper) for row in rows]


class TestMoveSubject:
    def test_cuts_the_validity_and_continues_it_for_the_other_payer(self, acme, beta):
        pays(acme, end=october(20))
        subscribing.move_subject(subject="vc1", customer=beta, effective_at=october(11))
        assert payers() == [
            ("acme", OCTOBER.start, october(11)),
            ("beta", october(11), october(20)),
        ]

    def test_at_its_start_takes_the_place_of_the_payer(self, acme, beta):
        pays(acme)
        subscribing.move_subject(subject="vc1", customer=beta, effective_at=OCTOBER.start)
        assert payers() == [("beta", OCTOBER.start, None)]

    def test_to_another_subscription_of_the_payer(self, acme, plan):
        first = catalog.subscription(acme, plan, subject="vc1", key="first")
        second = catalog.subscription(acme, plan, subject="vc2", key="second")
        moved = subscribing.move_subject(
            subject="vc1", customer=acme, subscription=second, effective_at=october(11)
        )
        assert moved.subscription == second
        assert CustomerSubject.objects.get(subscription=first).validity.upper == october(11)

    @pytest.mark.parametrize("at", [datetime(2026, 9, 30, tzinfo=UTC), october(20)])
    def test_refuses_an_instant_at_which_nobody_pays(self, acme, beta, at):
        pays(acme, end=october(20))
        with pytest.raises(subscribing.SubjectNotPaidFor, match="vc1"):
            subscribing.move_subject(subject="vc1", customer=beta, effective_at=at)

    def test_refuses_what_is_so_already(self, acme):
        pays(acme)
        with pytest.raises(subscribing.NothingChanges):
            subscribing.move_subject(subject="vc1", customer=acme, effective_at=october(11))

    def test_refuses_the_subscription_of_somebody_else(self, acme, beta, plan):
        contract = catalog.subscription(acme, plan, subject="vc1")
        with pytest.raises(subscribing.SubscriptionOfAnotherCustomer):
            subscribing.move_subject(
                subject="vc1", customer=beta, subscription=contract, effective_at=october(11)
            )

    def test_refuses_a_time_for_which_the_payer_was_invoiced(self, acme, beta, plan):
        catalog.seller()
        catalog.subscription(acme, plan, subject="vc1")
        running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
        with pytest.raises(subscribing.SubjectInvoicedOtherwise, match="INV-000001"):
            subscribing.move_subject(subject="vc1", customer=beta, effective_at=october(31))
        assert [customer for customer, _, _ in payers()] == ["acme"]
        subscribing.move_subject(subject="vc1", customer=beta, effective_at=OCTOBER.end)
        assert [customer for customer, _, _ in payers()] == ["acme", "beta"]

    def test_refuses_to_leave_it_open_which_subscription_is_charged(self, acme, beta, plan):
        pays(acme)
        for key in ("one", "two"):
            catalog.subscription(beta, plan, subject=key, key=key)
        with pytest.raises(subscribing.SubjectsNotAssigned, match="vc1"):
            subscribing.move_subject(subject="vc1", customer=beta, effective_at=october(11))

    def test_locks_the_customers_by_id_whoever_gives_and_whoever_gets(self, acme, beta):
        pays(beta)
        with CaptureQueriesContext(connection) as queries:
            subscribing.move_subject(subject="vc1", customer=acme, effective_at=october(11))
        locking = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
        assert len(locking) == 1
        assert "ORDER BY" in locking[0]


class TestMerge:
    def test_moves_all_subjects_and_ends_the_subscriptions(self, acme, beta, plan):
        contract = catalog.subscription(beta, plan, subject="vc1")
        pays(beta, "later", start=october(20))
        pays(beta, "earlier", end=october(5))
        subscribing.merge(customer=beta, into=acme, effective_at=october(16))
        contract.refresh_from_db()
        beta.refresh_from_db()
        assert (contract.end_at, beta.merged_into) == (october(16), acme)
        assert [(customer, start) for customer, start, _ in payers("vc1")][1:] == [("acme", october(16))]
        assert payers("later") == [("acme", october(20), None)]
        assert payers("earlier") == [("beta", OCTOBER.start, october(5))]

    def test_charges_the_subscription_that_is_named(self, acme, beta, plan):
        contracts = [catalog.subscription(acme, plan, subject=key, key=key) for key in ("one", "two")]
        pays(beta)
        with pytest.raises(subscribing.SubjectsNotAssigned):
            subscribing.merge(customer=beta, into=acme, effective_at=october(16))
        subscribing.merge(customer=beta, into=acme, subscription=contracts[1], effective_at=october(16))
        assert CustomerSubject.objects.get(subject="vc1", customer=acme).subscription == contracts[1]

    def test_leaves_nothing_to_agree_with_who_was_merged(self, acme, beta, plan):
        subscribing.merge(customer=beta, into=acme, effective_at=october(16))
        with pytest.raises(subscribing.CustomerMerged, match="acme"):
            subscribing.subscribe(customer=beta, plan=plan, key="new", start_at=october(20), at=october(20))
        with pytest.raises(subscribing.CustomerMerged, match="acme"):
            pays(beta, "new")

    def test_refuses_itself_another_currency_and_who_was_merged(self, acme, beta):
        with pytest.raises(subscribing.MergedWithItself):
            subscribing.merge(customer=beta, into=beta, effective_at=october(16))
        spree = catalog.customer("spree", currency="EUR")
        with pytest.raises(subscribing.CurrencyDiffers):
            subscribing.merge(customer=beta, into=spree, effective_at=october(16))
        subscribing.merge(customer=beta, into=acme, effective_at=october(16))
        with pytest.raises(subscribing.CustomerMerged):
            subscribing.merge(customer=acme, into=beta, effective_at=october(16))

    def test_refuses_an_instant_for_which_an_invoice_is_finalized_and_leaves_all_as_it_was(
        self, acme, beta, plan
    ):
        catalog.seller()
        catalog.subscription(beta, plan, subject="vc1")
        running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
        pays(beta, "vc0", start=catalog.NOVEMBER.start)
        with pytest.raises(subscribing.SubjectInvoicedOtherwise):
            subscribing.merge(customer=beta, into=acme, effective_at=october(16))
        assert not CustomerSubject.objects.filter(customer=acme).exists()


class TestSubscribe:
    def test_may_begin_with_a_trial(self, acme, plan):
        made = subscribing.subscribe(
            customer=acme,
            plan=plan,
            key="trial",
            start_at=OCTOBER.start,
            trial_end_at=october(11),
            at=OCTOBER.start,
        )
        assert (made.next_billing_at, made.next_advance_at) == (OCTOBER.end, october(11))

    @pytest.mark.parametrize("trial_end_at", [OCTOBER.start, datetime(2026, 9, 1, tzinfo=UTC)])
    def test_refuses_a_trial_that_ends_before_its_start(self, acme, plan, trial_end_at):
        with pytest.raises(subscribing.TrialEndsBeforeItsStart) as caught:
            subscribing.subscribe(
                customer=acme,
                plan=plan,
                key="trial",
                start_at=OCTOBER.start,
                trial_end_at=trial_end_at,
                at=OCTOBER.start,
            )
        assert caught.value.field == "trial_end_at"

    def test_may_agree_on_later_phases(self, acme, plan):
        yearly = catalog.plan(catalog.fee(), code="yearly", interval="YEAR")
        made = subscribing.subscribe(
            customer=acme,
            plan=plan,
            key="ramp",
            start_at=OCTOBER.start,
            then=[
                subscribing.Agreed(plan, october(16), {"gpu": {"minimum": "5"}}),
                subscribing.Agreed(yearly, OCTOBER.end),
            ],
            at=OCTOBER.start,
        )
        assert [phase.plan.code for phase in made.phases.order_by("validity")] == [
            "gpu-cloud",
            "gpu-cloud",
            "yearly",
        ]
        assert [cycle.interval for cycle in made.cycles.all()] == ["MONTH", "YEAR"]

    def test_refuses_phases_that_do_not_follow_each_other(self, acme, plan):
        with pytest.raises(subscribing.PhasesOutOfOrder):
            subscribing.subscribe(
                customer=acme,
                plan=plan,
                key="ramp",
                start_at=october(16),
                then=[subscribing.Agreed(plan, october(16))],
                at=OCTOBER.start,
            )
