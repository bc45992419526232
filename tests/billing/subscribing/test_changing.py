"""Changes of subscriptions: what they write, when something is due after them, and what they refuse."""

from datetime import UTC, date, datetime

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import subscribing, timelines, versions
from billing.models import Invoice, ServicePeriod, SubscriptionPhase
from metering.documents import DocumentError
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER = catalog.OCTOBER, catalog.NOVEMBER


def october(day, hour=0):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def december(day):
    return datetime(2026, 12, day, tzinfo=UTC)


@pytest.fixture
def basic(db):
    catalog.gpu_hours()
    return catalog.plan(catalog.component(), catalog.fee("seats", "10"), code="basic")


@pytest.fixture
def pro(basic):
    return catalog.plan(catalog.component(unit_amount="2"), catalog.fee(amount="62"), code="pro")


@pytest.fixture
def acme(db):
    return catalog.customer("acme")


@pytest.fixture
def contract(acme, basic):
    return catalog.subscription(acme, basic, key="contract")


def invoiced(subscription, period, part="ARREARS"):
    """A finalized invoice of the period, as far as contracts look at it."""
    invoice = Invoice.objects.create(
        customer=subscription.customer,
        currency="USD",
        subtotal=0,
        discount_total=0,
        total=0,
        drafted_at=period.end,
    )
    made = ServicePeriod.objects.create(
        invoice=invoice,
        subscription=subscription,
        start_at=period.start,
        end_at=period.end,
        part=part,
        subtotal=0,
        total=0,
        rating_input=b"",
        rating_sha256="",
    )
    Invoice.objects.filter(pk=invoice.pk).update(state="FINALIZED", number=f"INV-{invoice.pk}")
    return made


def phases(subscription):
    rows = sorted(subscription.phases.all(), key=lambda phase: phase.validity.lower)
    return [(row.plan.code, row.validity.lower, row.validity.upper) for row in rows]


def refreshed(subscription):
    subscription.refresh_from_db()
    return subscription


class TestChangePlan:
    def test_goes_on_with_the_other_plan_at_the_instant(self, contract, pro):
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=october(11))
        assert phases(contract) == [
            ("basic", OCTOBER.start, october(11)),
            ("pro", october(11), None),
        ]

    def test_leaves_the_period_as_it_is_and_asks_for_fees_in_advance_at_the_change(self, contract, pro):
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=october(11))
        assert refreshed(contract).next_billing_at == OCTOBER.end
        assert contract.next_advance_at == OCTOBER.start
        assert timelines.of(contract).next_advance_at(october(2)) == october(11)

    def test_replaces_what_was_agreed_for_later(self, contract, pro):
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=NOVEMBER.start)
        other = catalog.plan(catalog.fee(), code="other")
        subscribing.change_plan(subscription=contract, plan=other, effective_at=october(11))
        assert phases(contract) == [
            ("basic", OCTOBER.start, october(11)),
            ("other", october(11), None),
        ]

    def test_at_the_start_of_a_phase_takes_its_place(self, contract, pro):
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=OCTOBER.start)
        assert phases(contract) == [("pro", OCTOBER.start, None)]

    def test_keeps_the_end(self, acme, basic, pro):
        contract = catalog.subscription(acme, basic, end_at=december(1))
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=october(11))
        assert phases(contract)[-1] == ("pro", october(11), december(1))

    def test_to_another_interval_ends_the_period_with_the_change(self, contract, basic):
        yearly = catalog.plan(catalog.fee(), code="yearly", interval="YEAR")
        subscribing.change_plan(subscription=contract, plan=yearly, effective_at=october(16))
        assert refreshed(contract).next_billing_at == october(16)
        life = timelines.of(contract)
        assert life.next_billing_at(october(16)) == datetime(2027, 1, 1, tzinfo=UTC)

    def test_to_another_interval_counts_from_the_change_where_it_is_no_calendar(self, acme, basic):
        yearly = catalog.plan(catalog.fee(), code="yearly", interval="YEAR")
        contract = catalog.subscription(acme, basic, anchor_date=date(2026, 9, 15))
        subscribing.change_plan(subscription=contract, plan=yearly, effective_at=october(20))
        assert timelines.of(contract).next_billing_at(october(20)) == datetime(2027, 10, 20, tzinfo=UTC)

    def test_back_to_the_interval_before_a_change_that_was_agreed_leaves_no_trace_of_it(self, contract, pro):
        yearly = catalog.plan(catalog.fee(), code="yearly", interval="YEAR")
        subscribing.change_plan(subscription=contract, plan=yearly, effective_at=NOVEMBER.start)
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=october(16))
        assert timelines.of(contract).next_billing_at(NOVEMBER.start) == NOVEMBER.end

    def test_refuses_a_period_that_is_invoiced(self, contract, pro):
        invoiced(contract, OCTOBER)
        with pytest.raises(subscribing.PeriodFinalized, match="2026-11-01") as caught:
            subscribing.change_plan(subscription=contract, plan=pro, effective_at=october(31, 23))
        assert caught.value.field == "effective_at"
        assert phases(contract) == [("basic", OCTOBER.start, None)]
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=OCTOBER.end)

    def test_takes_a_period_that_was_invoiced_in_advance(self, contract, pro):
        invoiced(contract, OCTOBER, part="ADVANCE")
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=october(11))
        assert len(phases(contract)) == 2

    @pytest.mark.parametrize(
        ("effective_at", "error"),
        [
            (datetime(2026, 9, 30, tzinfo=UTC), subscribing.SubscriptionNotBegun),
            (december(1), subscribing.SubscriptionEnded),
        ],
    )
    def test_refuses_an_instant_outside_the_subscription(self, acme, basic, pro, effective_at, error):
        contract = catalog.subscription(acme, basic, end_at=december(1))
        with pytest.raises(error):
            subscribing.change_plan(subscription=contract, plan=pro, effective_at=effective_at)

    def test_refuses_another_currency(self, contract):
        euros = catalog.plan(catalog.fee(), code="euros", currency="EUR")
        with pytest.raises(subscribing.CurrencyDiffers):
            subscribing.change_plan(subscription=contract, plan=euros, effective_at=october(11))

    def test_refuses_what_is_so_already(self, contract, basic):
        with pytest.raises(subscribing.NothingChanges):
            subscribing.change_plan(subscription=contract, plan=basic, effective_at=october(11))

    def test_refuses_a_plan_that_is_not_in_force_yet(self, contract):
        later = catalog.plan(catalog.fee(), code="later", effective_at="2027-01-01T00:00:00Z")
        with pytest.raises(versions.PlanNotInForce):
            subscribing.change_plan(subscription=contract, plan=later, effective_at=october(11))

    def test_refuses_overrides_that_do_not_fit_and_leaves_nothing_half_done(self, contract, pro):
        with pytest.raises(DocumentError, match="no component"):
            subscribing.change_plan(
                subscription=contract, plan=pro, effective_at=october(11), overrides={"seats": {}}
            )
        assert phases(contract) == [("basic", OCTOBER.start, None)]

    def test_refuses_a_plan_that_would_leave_two_that_price_an_unassigned_subject(self, acme, basic):
        support = catalog.plan(catalog.fee(), code="support")
        subscribing.subscribe(customer=acme, plan=basic, key="gpu", start_at=OCTOBER.start, at=OCTOBER.start)
        other = subscribing.subscribe(
            customer=acme, plan=support, key="support", start_at=OCTOBER.start, at=OCTOBER.start
        )
        subscribing.assign_subject(customer=acme, subject="vc1", validity=OCTOBER)
        with pytest.raises(subscribing.SubjectsNotAssigned, match="vc1"):
            subscribing.change_plan(subscription=other, plan=basic, effective_at=october(11))


class TestChangeOverrides:
    def test_is_a_phase_of_its_own_on_the_same_plan(self, contract):
        subscribing.change_quantity(
            subscription=contract, component="seats", quantity="3", effective_at=october(11)
        )
        assert phases(contract) == [
            ("basic", OCTOBER.start, october(11)),
            ("basic", october(11), None),
        ]
        assert SubscriptionPhase.objects.get(validity__startswith=october(11)).overrides == {
            "seats": {"quantity": "3"}
        }

    def test_of_a_quantity_keeps_the_others(self, acme, basic):
        overrides = {"gpu": {"minimum": "5"}, "seats": {"quantity": "2"}}
        contract = catalog.subscription(acme, basic, overrides=overrides)
        subscribing.change_quantity(
            subscription=contract, component="seats", quantity="3", effective_at=OCTOBER.start
        )
        assert contract.phases.get().overrides == {"gpu": {"minimum": "5"}, "seats": {"quantity": "3"}}

    def test_keeps_a_plan_that_was_agreed_for_later(self, contract, pro):
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=NOVEMBER.start)
        subscribing.change_quantity(
            subscription=contract, component="seats", quantity="3", effective_at=october(11)
        )
        assert [code for code, _, _ in phases(contract)] == ["basic", "basic", "pro"]

    def test_refuses_overrides_that_a_version_would_not_take_that_is_published_for_later(self, contract):
        catalog.plan(catalog.component(), code="basic", at=october(2), effective_at="2026-12-01T00:00:00Z")
        with pytest.raises(DocumentError) as caught:
            subscribing.change_quantity(
                subscription=contract, component="seats", quantity="3", effective_at=october(11)
            )
        assert caught.value.field == "overrides.seats"

    def test_refuses_a_period_that_is_invoiced(self, contract):
        invoiced(contract, OCTOBER)
        with pytest.raises(subscribing.PeriodFinalized):
            subscribing.change_overrides(subscription=contract, overrides={}, effective_at=october(11))

    def test_refuses_what_is_so_already(self, contract):
        with pytest.raises(subscribing.NothingChanges):
            subscribing.change_overrides(subscription=contract, overrides={}, effective_at=october(11))


class TestCancel:
    def test_is_due_at_its_end(self, contract):
        subscribing.cancel(subscription=contract, end_at=october(18))
        assert (refreshed(contract).end_at, contract.next_billing_at) == (october(18), october(18))
        assert phases(contract) == [("basic", OCTOBER.start, october(18))]

    def test_at_the_end_of_the_period_leaves_it_whole(self, contract):
        end_at = subscribing.period_end(subscription=contract, at=october(18))
        subscribing.cancel(subscription=contract, end_at=end_at)
        assert (refreshed(contract).end_at, contract.next_billing_at) == (OCTOBER.end, OCTOBER.end)

    def test_of_what_is_invoiced_until_then_leaves_nothing_due(self, contract):
        invoiced(contract, OCTOBER)
        contract.next_billing_at, contract.next_advance_at = NOVEMBER.end, NOVEMBER.end
        contract.save()
        subscribing.cancel(subscription=contract, end_at=OCTOBER.end)
        assert (refreshed(contract).next_billing_at, contract.next_advance_at) == (None, None)

    def test_drops_what_was_agreed_for_later(self, contract, pro):
        subscribing.change_plan(subscription=contract, plan=pro, effective_at=NOVEMBER.start)
        subscribing.pause(subscription=contract, effective_at=NOVEMBER.start)
        subscribing.cancel(subscription=contract, end_at=october(18))
        assert phases(contract) == [("basic", OCTOBER.start, october(18))]
        assert not contract.pauses.exists()

    @pytest.mark.parametrize("end_at", [OCTOBER.start, datetime(2026, 9, 1, tzinfo=UTC)])
    def test_refuses_an_end_that_is_not_after_the_start(self, contract, end_at):
        with pytest.raises(subscribing.SubscriptionEndsBeforeItsStart) as caught:
            subscribing.cancel(subscription=contract, end_at=end_at)
        assert caught.value.field == "end_at"

    def test_refuses_an_end_inside_what_is_invoiced(self, contract):
        invoiced(contract, OCTOBER)
        with pytest.raises(subscribing.PeriodFinalized):
            subscribing.cancel(subscription=contract, end_at=october(18))

    def test_refuses_to_leave_nothing_of_fees_that_were_invoiced_in_advance(self, contract):
        invoiced(contract, NOVEMBER, part="ADVANCE")
        with pytest.raises(subscribing.FeesInvoicedInAdvance, match="2026-11-01"):
            subscribing.cancel(subscription=contract, end_at=NOVEMBER.start)
        assert refreshed(contract).end_at is None

    def test_is_taken_back_before_it_comes(self, contract):
        subscribing.cancel(subscription=contract, end_at=october(18))
        subscribing.keep(subscription=contract, at=october(17))
        assert (refreshed(contract).end_at, contract.next_billing_at) == (None, OCTOBER.end)
        assert phases(contract) == [("basic", OCTOBER.start, None)]

    def test_is_not_taken_back_afterwards(self, contract):
        subscribing.cancel(subscription=contract, end_at=october(18))
        with pytest.raises(subscribing.SubscriptionEnded):
            subscribing.keep(subscription=contract, at=october(18))


class TestPause:
    def test_rests_until_it_is_resumed(self, contract):
        subscribing.pause(subscription=contract, effective_at=october(11))
        assert contract.pauses.get().validity == DateTimeTZRange(october(11), None)
        subscribing.resume(subscription=contract, effective_at=october(21))
        assert contract.pauses.get().validity == DateTimeTZRange(october(11), october(21))

    def test_that_was_agreed_is_taken_back_by_resuming_at_its_start(self, contract):
        subscribing.pause(subscription=contract, effective_at=october(11))
        subscribing.resume(subscription=contract, effective_at=october(11))
        assert not contract.pauses.exists()

    def test_asks_for_fees_in_advance_where_the_next_piece_begins(self, contract):
        contract.next_advance_at = NOVEMBER.start
        contract.save()
        subscribing.pause(subscription=contract, effective_at=october(11), until_at=december(6))
        assert refreshed(contract).next_advance_at == december(6)

    @pytest.mark.parametrize(
        ("start", "end", "error"),
        [
            (october(20), october(20), subscribing.PauseEmpty),
            (october(12), october(13), subscribing.AlreadyPaused),
            (october(1), None, subscribing.AlreadyPaused),
        ],
    )
    def test_refuses_what_is_empty_or_overlaps(self, contract, start, end, error):
        subscribing.pause(subscription=contract, effective_at=october(11), until_at=october(15))
        with pytest.raises(error):
            subscribing.pause(subscription=contract, effective_at=start, until_at=end)
        assert contract.pauses.count() == 1

    def test_refuses_a_period_that_is_invoiced(self, contract):
        invoiced(contract, OCTOBER)
        with pytest.raises(subscribing.PeriodFinalized):
            subscribing.pause(subscription=contract, effective_at=october(11))

    def test_refuses_to_resume_what_does_not_rest(self, contract):
        with pytest.raises(subscribing.NotPaused):
            subscribing.resume(subscription=contract, effective_at=october(11))


class TestRecount:
    def test_in_another_zone_counts_from_the_next_period_on(self, contract, acme):
        subscribing.change_timezone(customer=acme, timezone="Europe/Berlin", at=october(10))
        assert refreshed(contract).next_billing_at == OCTOBER.end
        assert contract.timezone == "Europe/Berlin"
        assert timelines.of(contract).next_billing_at(OCTOBER.end) == datetime(2026, 11, 30, 23, tzinfo=UTC)

    def test_twice_in_a_period_counts_by_the_last(self, contract, acme):
        subscribing.change_timezone(customer=acme, timezone="Europe/Berlin", at=october(10))
        subscribing.change_timezone(customer=acme, timezone="UTC", at=october(11))
        assert timelines.of(contract).next_billing_at(OCTOBER.end) == NOVEMBER.end

    def test_of_one_that_has_not_begun_counts_from_its_start(self, acme, basic):
        contract = catalog.subscription(acme, basic, start_at=december(1))
        subscribing.change_timezone(customer=acme, timezone="Europe/Berlin", at=october(10))
        assert refreshed(contract).next_billing_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
        assert contract.cycles.count() == 1

    def test_leaves_those_alone_that_have_ended(self, contract, acme):
        subscribing.cancel(subscription=contract, end_at=october(5))
        subscribing.change_timezone(customer=acme, timezone="Europe/Berlin", at=october(10))
        assert refreshed(contract).timezone == "UTC"

    def test_refuses_a_name_that_is_no_zone(self, acme):
        with pytest.raises(subscribing.TimezoneUnknown) as caught:
            subscribing.change_timezone(customer=acme, timezone="Mars/Olympus", at=october(10))
        assert caught.value.field == "timezone"

    def test_refuses_where_the_next_period_is_invoiced_in_advance(self, contract, acme):
        invoiced(contract, NOVEMBER, part="ADVANCE")
        with pytest.raises(subscribing.PeriodFinalized):
            subscribing.change_timezone(customer=acme, timezone="Europe/Berlin", at=october(10))
        assert refreshed(acme).timezone == "UTC"

    def test_from_another_anchor_counts_from_the_next_period_on(self, contract):
        subscribing.change_anchor(subscription=contract, anchor_date=date(2026, 10, 15), at=october(10))
        life = timelines.of(contract)
        assert refreshed(contract).next_billing_at == OCTOBER.end
        assert life.next_billing_at(OCTOBER.end) == datetime(2026, 11, 15, tzinfo=UTC)

    def test_refuses_the_anchor_that_it_has(self, contract):
        with pytest.raises(subscribing.NothingChanges):
            subscribing.change_anchor(subscription=contract, anchor_date=contract.anchor_date, at=october(10))
