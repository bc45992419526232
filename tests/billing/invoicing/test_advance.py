"""Fees in advance on invoices: due at the start of a piece, settled with its part in arrears."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing import subscribing
from billing.invoicing import drafting, running, voiding
from billing.models import CreditNote, Invoice, ServicePeriod, Subscription
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER = catalog.OCTOBER, catalog.NOVEMBER
IN_OCTOBER = datetime(2026, 10, 2, tzinfo=UTC)
IN_NOVEMBER, IN_DECEMBER = catalog.IN_NOVEMBER, datetime(2026, 12, 2, tzinfo=UTC)


def run(at):
    return running.run(as_of=at, at=at)


def seat(amount="31.00"):
    return catalog.fee("seat", amount, name="Seat", timing="IN_ADVANCE")


def parts(invoice):
    """Each service period of an invoice: its part, its days, and its lines that are not 0."""
    return [
        (
            period.part,
            f"{period.start_at:%m-%d} to {period.end_at:%m-%d}",
            {line.component: line.amount for line in period.lines.all() if line.amount},
        )
        for period in invoice.service_periods.order_by("pk")
    ]


@pytest.fixture
def acme(db):
    catalog.seller()
    catalog.gpu_hours()
    return catalog.customer("acme")


class TestFeesInAdvance:
    def test_are_due_at_the_subscriptions_start(self, acme):
        catalog.subscription(acme, catalog.plan(catalog.component(), seat()))
        [first] = run(IN_OCTOBER).finalized
        assert parts(first) == [("ADVANCE", "10-01 to 11-01", {"seat": Decimal("31.00")})]
        assert (first.number, first.total) == ("INV-000001", Decimal("31.00"))

    def test_come_with_the_arrears_of_the_period_that_ended(self, acme):
        catalog.subscription(acme, catalog.plan(catalog.component(), seat()))
        run(IN_OCTOBER)
        catalog.run_gpus("acme", OCTOBER.start, 4)
        [second] = run(IN_NOVEMBER).finalized
        assert parts(second) == [
            ("ARREARS", "10-01 to 11-01", {"gpu": Decimal("10.00")}),
            ("ADVANCE", "11-01 to 12-01", {"seat": Decimal("31.00")}),
        ]
        assert second.total == Decimal("41.00")

    def test_are_caught_up_on_invoices_of_their_own_instants(self, acme):
        catalog.subscription(acme, catalog.plan(catalog.component(), seat()))
        run(IN_DECEMBER)
        assert [parts(each)[-1][:2] for each in Invoice.objects.order_by("pk")] == [
            ("ADVANCE", "10-01 to 11-01"),
            ("ADVANCE", "11-01 to 12-01"),
            ("ADVANCE", "12-01 to 01-01"),
        ]

    def test_are_given_back_for_what_is_left_when_the_subscription_ends(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(catalog.component(), seat("100.00")))
        run(IN_OCTOBER)
        catalog.run_gpus("acme", OCTOBER.start, 20)
        subscribing.cancel(subscription=subscription, end_at=datetime(2026, 10, 18, tzinfo=UTC))
        [last] = run(datetime(2026, 10, 19, tzinfo=UTC)).finalized
        # 17 of 31 days were used: 54.84 of 100.00
        assert parts(last) == [
            ("ARREARS", "10-01 to 10-18", {"gpu": Decimal("50.00"), "seat": Decimal("-45.16")})
        ]
        assert last.total == Decimal("4.84")
        assert Subscription.objects.filter(next_billing_at=None, next_advance_at=None).exists()

    def test_are_given_back_by_a_credit_note_where_the_invoice_would_be_below_zero(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(catalog.component(), seat("100.00")))
        [first] = run(IN_OCTOBER).finalized
        subscribing.cancel(subscription=subscription, end_at=datetime(2026, 10, 18, tzinfo=UTC))
        [last] = run(datetime(2026, 10, 19, tzinfo=UTC)).finalized
        assert last.total == Decimal("0.00")
        assert [(each.invoice, each.total) for each in CreditNote.objects.all()] == [
            (first, Decimal("45.16"))
        ]

    def test_of_another_plan_are_due_at_the_change_and_the_old_ones_given_back_at_the_end(self, acme):
        small = catalog.plan(seat("31.00"), code="small")
        large = catalog.plan(seat("62.00"), code="large")
        subscription = catalog.subscription(acme, small)
        run(IN_OCTOBER)
        changed_at = datetime(2026, 10, 11, tzinfo=UTC)
        subscribing.change_plan(subscription=subscription, plan=large, effective_at=changed_at)
        [at_the_change] = run(datetime(2026, 10, 12, tzinfo=UTC)).finalized
        # 21 of 31 days at 62.00
        assert parts(at_the_change) == [("ADVANCE", "10-11 to 11-01", {"seat": Decimal("42.00")})]
        [at_the_end] = run(IN_NOVEMBER).finalized
        assert parts(at_the_end) == [
            ("ARREARS", "10-01 to 10-11", {"seat": Decimal("-21.00")}),  # 21 of 31 days at 31.00
            ("ARREARS", "10-11 to 11-01", {}),
            ("ADVANCE", "11-01 to 12-01", {"seat": Decimal("62.00")}),
        ]

    def test_are_billed_in_arrears_where_their_invoice_was_taken_back(self, acme):
        catalog.subscription(acme, catalog.plan(catalog.component(), seat()))
        [first] = run(IN_OCTOBER).finalized
        voiding.void(invoice=first, at=IN_OCTOBER)
        [second] = run(IN_NOVEMBER).finalized
        assert parts(second)[0] == ("ARREARS", "10-01 to 11-01", {"seat": Decimal("31.00")})

    def test_stay_on_a_draft_as_they_were_computed_once(self, acme):
        acme.grace_hours = 48
        acme.save()
        subscription = catalog.subscription(acme, catalog.plan(catalog.component(), seat()))
        run(IN_OCTOBER)
        [draft] = run(OCTOBER.end).drafted
        subscribing.cancel(subscription=subscription, end_at=datetime(2026, 11, 16, tzinfo=UTC))
        drafting.refresh(invoice=draft, at=OCTOBER.end)
        assert parts(draft)[-1] == ("ADVANCE", "11-01 to 12-01", {"seat": Decimal("31.00")})

    def test_alone_wait_for_no_grace_period(self, acme):
        acme.grace_hours = 48
        acme.save()
        catalog.subscription(acme, catalog.plan(catalog.component(), seat()))
        [first] = run(OCTOBER.start).finalized
        assert (first.state, first.finalize_at) == ("FINALIZED", OCTOBER.start)

    def test_of_a_plan_without_them_make_no_invoice(self, acme):
        catalog.subscription(acme, catalog.plan())
        assert run(IN_OCTOBER).is_empty is True
        assert not ServicePeriod.objects.exists()
        assert Subscription.objects.get().next_advance_at == OCTOBER.end

    def test_of_two_discounts_add_up_over_both_parts(self, acme):
        plan = catalog.plan(
            seat("100.00"), catalog.component(), discounts=[{"percent": "10", "name": "Launch"}]
        )
        catalog.subscription(acme, plan)
        [first] = run(IN_OCTOBER).finalized
        catalog.run_gpus("acme", OCTOBER.start, 4)
        [second] = run(OCTOBER.end).finalized
        arrears = second.service_periods.get(part="ARREARS")
        # 110.00 less 11.00 in all, of which 100.00 less 10.00 came in advance
        assert (first.total, arrears.subtotal, arrears.total) == (
            Decimal("90.00"),
            Decimal("10.00"),
            Decimal("9.00"),
        )

    def test_begin_when_the_trial_ends(self, acme):
        catalog.subscription(
            acme, catalog.plan(catalog.component(), seat()), trial_end_at=datetime(2026, 10, 11, tzinfo=UTC)
        )
        assert run(IN_OCTOBER).is_empty
        [first] = run(datetime(2026, 10, 12, tzinfo=UTC)).finalized
        # 21 of 31 days
        assert parts(first) == [("ADVANCE", "10-11 to 11-01", {"seat": Decimal("21.00")})]
        [second] = run(IN_NOVEMBER).finalized
        assert [each[:2] for each in parts(second)] == [
            ("ARREARS", "10-01 to 10-11"),
            ("ARREARS", "10-11 to 11-01"),
            ("ADVANCE", "11-01 to 12-01"),
        ]

    def test_are_given_back_for_a_pause(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(seat()))
        run(IN_OCTOBER)
        subscribing.pause(
            subscription=subscription,
            effective_at=datetime(2026, 10, 11, tzinfo=UTC),
            until_at=datetime(2026, 10, 21, tzinfo=UTC),
        )
        [second] = run(IN_NOVEMBER).finalized
        # 10 of 31 days
        assert parts(second)[0] == ("ARREARS", "10-01 to 11-01", {"seat": Decimal("-10.00")})
