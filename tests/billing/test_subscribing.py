from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import registering, subscribing, versions
from billing.invoicing import running
from billing.models import Customer, CustomerSubject, Seller, Subscription, SubscriptionPhase
from metering.documents import DocumentError
from metering.periods import Period
from tests.world import catalog

pytestmark = pytest.mark.django_db


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


START = utc(2026, 10, 5, 12)


@pytest.fixture
def plan(db):
    catalog.gpu_hours()
    return catalog.plan(catalog.component(), catalog.fee("seats", "10"))


@pytest.fixture
def acme(db):
    return catalog.customer("acme")


def subscribe(customer, plan, key="s", start_at=START, **fields):
    return subscribing.subscribe(
        customer=customer, plan=plan, key=key, start_at=start_at, at=catalog.LONG_AGO, **fields
    )


class TestSeller:
    def test_is_made_once_and_then_left_as_it_is(self, db):
        assert registering.seller(name="Nimbus", due_days=14).pk == 1
        assert registering.seller(name="Other").name == "Nimbus"
        assert Seller.objects.get().due_days == 14


class TestCustomer:
    def test_refuses_a_key_twice(self, acme):
        with pytest.raises(registering.CustomerKeyTaken, match="acme"):
            catalog.customer("acme")
        assert Customer.objects.count() == 1

    @pytest.mark.parametrize(
        ("field", "value"), [("timezone", "Mars/Olympus"), ("currency", "XXQ"), ("email", "no")]
    )
    def test_refuses_a_value_that_means_nothing(self, field, value, db):
        with pytest.raises(registering.CustomerInvalid) as caught:
            catalog.customer("acme", **{field: value})
        assert caught.value.field == field


class TestSubscribe:
    def test_is_due_at_the_end_of_the_calendar_month(self, acme, plan):
        made = subscribe(acme, plan)
        assert (made.anchor_date, made.timezone) == (date(2026, 10, 1), "UTC")
        assert made.next_billing_at == utc(2026, 11, 1)
        assert made.phases.get().validity == DateTimeTZRange(START, None)

    def test_is_due_at_its_end_when_that_comes_first(self, acme, plan):
        assert subscribe(acme, plan, end_at=utc(2026, 10, 20)).next_billing_at == utc(2026, 10, 20)

    def test_counts_from_the_anchor_in_the_customers_zone(self, plan):
        berlin = catalog.customer("spree", timezone="Europe/Berlin")
        made = subscribe(berlin, plan, anchor_date=date(2026, 8, 31))
        # 31 October, midnight in Berlin: the clocks went back on the 25th.
        assert made.next_billing_at == utc(2026, 10, 30, 23)

    def test_keeps_overrides_that_fit_the_plan(self, acme, plan):
        overrides = {"seats": {"quantity": "5"}, "gpu": {"included": {"quantity": "8", "every": "HOUR"}}}
        assert subscribe(acme, plan, overrides=overrides).phases.get().overrides == overrides

    @pytest.mark.parametrize(
        ("overrides", "field"),
        [
            ({"gpus": {"included": None}}, "overrides.gpus"),
            ({"gpu": {"quantity": "5"}}, "overrides.gpu.quantity"),
            ({"seats": {"amount": "5"}}, "overrides.seats.amount"),
            ({"gpu": {"price": {"model": "percentage", "rate": "1"}}}, "overrides.gpu.price"),
            ({"gpu": {"price": {"model": "dynamic", "amount": "cost"}}}, "overrides.gpu.price"),
            ({"gpu": {"price": {"model": "catalogue", "price_of": "input"}}}, "overrides.gpu.price"),
        ],
    )
    def test_refuses_overrides_that_do_not_fit(self, acme, plan, overrides, field):
        with pytest.raises(DocumentError) as caught:
            subscribe(acme, plan, overrides=overrides)
        assert caught.value.field == field
        assert not Subscription.objects.exists()

    def test_refuses_another_currency(self, plan):
        with pytest.raises(subscribing.CurrencyDiffers, match="EUR"):
            subscribe(catalog.customer("spree", currency="EUR"), plan)

    @pytest.mark.parametrize("end_at", [START, utc(2026, 10, 1)])
    def test_refuses_an_end_that_is_not_after_the_start(self, acme, plan, end_at):
        with pytest.raises(subscribing.SubscriptionEndsBeforeItsStart):
            subscribe(acme, plan, end_at=end_at)

    def test_refuses_a_key_twice_also_for_another_customer(self, acme, plan):
        subscribe(acme, plan)
        with pytest.raises(subscribing.SubscriptionKeyTaken):
            subscribe(catalog.customer("other"), plan)
        assert Subscription.objects.count() == 1

    def test_refuses_a_plan_that_is_not_in_force_yet(self, acme):
        catalog.gpu_hours()
        later = catalog.plan(effective_at="2027-01-01T00:00:00Z")
        with pytest.raises(versions.PlanNotInForce):
            subscribe(acme, later)

    def test_refuses_a_second_one_on_the_same_meter_until_subjects_are_assigned(self, acme, plan):
        first = subscribe(acme, plan)
        subject = subscribing.assign_subject(customer=acme, subject="vc1", validity=catalog.OCTOBER)
        addon = catalog.plan(code="addon")
        with pytest.raises(subscribing.SubjectsNotAssigned, match=r"gpu_hours.*vc1"):
            subscribe(acme, addon, key="second")
        subscribing.charge_subject(customer_subject=subject, subscription=first)
        assert subscribe(acme, addon, key="second").pk

    def test_moves_no_subject_away_from_a_subscription_that_was_invoiced_for_it(self, acme, plan):
        catalog.seller()
        first = subscribe(acme, plan)
        subject = subscribing.assign_subject(customer=acme, subject="vc1", validity=catalog.OCTOBER)
        subscribing.charge_subject(customer_subject=subject, subscription=first)
        second = subscribe(acme, catalog.plan(code="addon"), key="second")
        running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
        with pytest.raises(subscribing.SubjectInvoicedOtherwise, match="vc1"):
            subscribing.charge_subject(customer_subject=subject, subscription=second)
        subject.refresh_from_db()
        assert subject.subscription == first

    def test_takes_a_second_one_on_another_meter_or_later(self, acme, plan):
        subscribe(acme, plan, end_at=utc(2026, 11, 1))
        subscribing.assign_subject(customer=acme, subject="vc1", validity=catalog.OCTOBER)
        subscribe(acme, catalog.plan(catalog.fee(), code="support"), key="support")
        subscribe(acme, plan, key="next", start_at=utc(2026, 11, 1))
        assert Subscription.objects.count() == 3


class TestAssignSubject:
    def test_says_who_pays_from_when_on(self, acme):
        made = subscribing.assign_subject(customer=acme, subject="vc1", validity=DateTimeTZRange(START, None))
        assert (made.customer, made.subject, made.validity.lower, made.validity.upper) == (
            acme,
            "vc1",
            START,
            None,
        )

    def test_refuses_a_second_payer_at_any_instant(self, acme):
        subscribing.assign_subject(customer=acme, subject="vc1", validity=catalog.OCTOBER)
        overlap = Period(utc(2026, 10, 31, 23, 59), utc(2026, 11, 15))
        with pytest.raises(subscribing.SubjectAlreadyPaidFor, match="vc1"):
            subscribing.assign_subject(customer=catalog.customer("other"), subject="vc1", validity=overlap)
        assert CustomerSubject.objects.count() == 1

    def test_takes_the_next_payer_from_the_very_end_of_the_first(self, acme):
        subscribing.assign_subject(customer=acme, subject="vc1", validity=catalog.OCTOBER)
        subscribing.assign_subject(customer=catalog.customer("b"), subject="vc1", validity=catalog.NOVEMBER)
        assert CustomerSubject.objects.count() == 2

    def test_needs_a_subscription_where_two_price_the_meter(self, acme, plan):
        first = subscribe(acme, plan)
        subscribe(acme, catalog.plan(code="addon"), key="second")
        with pytest.raises(subscribing.SubjectsNotAssigned, match=r"s and second both price gpu_hours.*vc1"):
            subscribing.assign_subject(customer=acme, subject="vc1", validity=catalog.OCTOBER)
        made = subscribing.assign_subject(
            customer=acme, subject="vc1", validity=catalog.OCTOBER, subscription=first
        )
        assert made.subscription == first

    def test_refuses_somebody_elses_subscription(self, acme, plan):
        other = subscribe(catalog.customer("other"), plan)
        with pytest.raises(subscribing.SubscriptionOfAnotherCustomer):
            subscribing.assign_subject(
                customer=acme, subject="x", validity=catalog.OCTOBER, subscription=other
            )

    @pytest.mark.parametrize(
        "validity", [Period(START, START), DateTimeTZRange(None, START), DateTimeTZRange(START, START)]
    )
    def test_refuses_a_validity_without_time(self, acme, validity):
        with pytest.raises(subscribing.ValidityEmpty):
            subscribing.assign_subject(customer=acme, subject="vc1", validity=validity)


class TestPhases:
    def test_of_one_subscription_cannot_overlap(self, acme, plan):
        made = subscribe(acme, plan)
        with (
            pytest.raises(IntegrityError, match="phases_of_a_subscription_do_not_overlap"),
            transaction.atomic(),
        ):
            SubscriptionPhase.objects.create(
                subscription=made, plan=plan, validity=DateTimeTZRange(utc(2026, 10, 6), None)
            )
