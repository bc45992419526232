"""The row of a run: what it counts, what it could not do, and how others go on with it."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.invoicing import finalizing, running
from billing.models import Customer, Invoice, InvoiceRun, InvoiceRunFailure, Seller, Subscription
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER


@pytest.fixture
def plan(db):
    catalog.gpu_hours()
    catalog.seller()
    return catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))


def customers(plan, *keys):
    for key in keys:
        catalog.subscription(catalog.customer(key), plan)


def break_contract(key):
    """Makes the billing of a customer fail in a way that nobody foresaw."""
    Subscription.objects.get(customer__key=key).cycles.update(timezone="Nowhere/Land")


def mend_contract(key):
    Subscription.objects.get(customer__key=key).cycles.update(timezone="UTC")


def run(at=NOW):
    return running.run(as_of=at, at=at)


def counts(row):
    return {name: getattr(row, name) for name in ("due", "finalized", "drafted", "blocked", "failed")}


class TestInvoiceRun:
    def test_counts_what_became_of_everything_due(self, plan):
        customers(plan, "one", "two", "three", "four")
        catalog.run_gpus("two", OCTOBER.start, 1, gpu_type="B200")
        break_contract("three")
        Customer.objects.filter(key="four").update(grace_hours=72)
        run()
        row = InvoiceRun.objects.get()
        assert counts(row) == {"due": 4, "finalized": 1, "drafted": 1, "blocked": 1, "failed": 1}
        assert (row.state, row.as_of, row.started_at, row.ended_at) == ("DONE", NOW, NOW, NOW)

    def test_keeps_what_failed_and_what_is_blocked_with_the_reason(self, plan):
        customers(plan, "one", "two")
        catalog.run_gpus("one", OCTOBER.start, 1, gpu_type="B200")
        break_contract("two")
        run()
        draft = Invoice.objects.get()
        failed, blocked = InvoiceRunFailure.objects.order_by("invoice")[::-1]
        assert (blocked.what, blocked.invoice, blocked.customer.key) == (f"draft {draft.pk}", draft, "one")
        assert "gpu_type=B200" in blocked.reason
        assert (failed.what, failed.invoice, failed.customer.key) == ("two-gpu-cloud", None, "two")
        assert "Nowhere/Land" in failed.reason

    def test_is_not_made_where_nothing_is_due(self, plan):
        customers(plan, "one")
        running.run(as_of=OCTOBER.start - timedelta(days=1), at=NOW)
        assert not InvoiceRun.objects.exists()

    def test_bills_the_sound_ones_of_a_chunk_in_which_one_fails(self, plan):
        customers(plan, *(f"c{n}" for n in range(5)))
        break_contract("c2")
        summary = run()
        assert [invoice.customer.key for invoice in summary.finalized] == ["c0", "c1", "c3", "c4"]
        assert [invoice.number for invoice in summary.finalized] == [f"INV-00000{n}" for n in (1, 2, 3, 4)]
        assert list(summary.failed) == ["c2-gpu-cloud"]


class TestRetry:
    def test_tries_what_failed_once_more(self, plan):
        customers(plan, "one", "two")
        break_contract("two")
        run()
        mend_contract("two")
        again = running.retry(run=InvoiceRun.objects.get())
        assert (again.state, again.failed, again.finalized) == ("RUNNING", 0, 1)
        assert [len(each.finalized) for each in running.chunks(run=again, at=NOW)] == [1]
        running.end(run=again, at=NOW)
        again.refresh_from_db()
        assert (again.state, again.finalized) == ("DONE", 2)
        assert not InvoiceRunFailure.objects.exists()

    def test_refuses_a_run_that_is_under_way(self, plan):
        customers(plan, "one")
        row = running.start(as_of=NOW, at=NOW)
        with pytest.raises(running.RunNotEnded, match="under way"):
            running.retry(run=row)


class TestResume:
    def test_starts_a_run_where_something_is_due(self, plan):
        assert running.resume(as_of=NOW, at=NOW) is None
        customers(plan, "one")
        row = running.resume(as_of=NOW, at=NOW)
        assert (row.state, row.due) == ("RUNNING", 1)

    def test_goes_on_with_a_run_that_was_left_behind(self, plan):
        customers(plan, "one")
        left_behind = running.start(as_of=NOW, at=NOW)
        assert running.resume(as_of=NOW + timedelta(hours=1), at=NOW + timedelta(hours=1)) == left_behind

    @pytest.mark.parametrize(("minutes", "is_due"), [(59, False), (60, True)])
    def test_gives_what_failed_an_hour(self, plan, minutes, is_due):
        customers(plan, "one")
        break_contract("one")
        run()
        later = NOW + timedelta(minutes=minutes)
        assert (running.resume(as_of=later, at=later) is not None) is is_due

    @pytest.mark.parametrize(("minutes", "is_due"), [(59, False), (60, True)])
    def test_gives_what_is_blocked_an_hour(self, plan, minutes, is_due):
        customers(plan, "one")
        catalog.run_gpus("one", OCTOBER.start, 1, gpu_type="B200")
        run()
        later = NOW + timedelta(minutes=minutes)
        assert (running.resume(as_of=later, at=later) is not None) is is_due

    def test_takes_what_failed_along_where_something_else_is_due(self, plan):
        customers(plan, "one")
        break_contract("one")
        run()
        mend_contract("one")
        customers(plan, "two")
        assert running.resume(as_of=NOW, at=NOW) is not None
        assert len(run().finalized) == 2


class TestLanes:
    @pytest.mark.parametrize(("due", "lanes"), [(1, 1), (50, 1), (51, 2), (400, 8), (100_000, 8)])
    def test_are_one_for_each_chunk_up_to_a_bound(self, due, lanes):
        assert running.lanes(InvoiceRun(due=due)) == lanes


class TestSellerMissing:
    def test_stops_a_run_before_anything_is_written(self, plan):
        Seller.objects.all().delete()
        customers(plan, "one")
        with pytest.raises(finalizing.SellerMissing):
            run()
        row = InvoiceRun.objects.get()
        assert (row.state, row.finalized) == ("STOPPED", 0)
        assert "enter the seller" in row.stopped_reason
        assert not Invoice.objects.exists()
        assert Subscription.objects.get().next_billing_at == OCTOBER.end

    def test_keeps_the_tick_from_starting_runs(self, plan):
        Seller.objects.all().delete()
        customers(plan, "one")
        assert running.resume(as_of=NOW, at=NOW) is None


class TestEnd:
    def test_is_noted_by_the_one_who_ends_the_run_first(self, plan):
        customers(plan, "one")
        row = running.start(as_of=NOW, at=NOW)
        running.end(run=row, at=NOW)
        running.end(run=row, at=datetime(2027, 1, 1, tzinfo=UTC), stopped_reason="too late")
        row.refresh_from_db()
        assert (row.state, row.ended_at) == ("DONE", NOW)
