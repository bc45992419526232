import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction
from django.db.models import Count

from billing import publishing
from billing.invoicing import claiming, finalizing, running
from billing.models import Customer, Invoice, Seller, ServicePeriod, Subscription, SubscriptionCycle
from tests.world import catalog

OCTOBER, NOVEMBER, NOW = catalog.OCTOBER, catalog.NOVEMBER, catalog.IN_NOVEMBER
IN_JANUARY = datetime(2027, 1, 2, tzinfo=UTC)


def run(as_of=NOW, at=NOW):
    return running.run(as_of=as_of, at=at)


@pytest.fixture
def plan(db):
    catalog.gpu_hours()
    return catalog.plan()


@pytest.fixture
def seller(db):
    return catalog.seller()


def totals():
    return {invoice.number: invoice.total for invoice in Invoice.objects.filter(number__isnull=False)}


@pytest.mark.django_db
class TestRun:
    def test_finalizes_what_ended_and_says_so(self, seller, plan):
        catalog.subscription(catalog.customer("acme"), plan)
        catalog.run_gpus("acme", OCTOBER.start, 4)
        summary = run()
        assert [(invoice.number, invoice.total) for invoice in summary.finalized] == [
            ("INV-000001", Decimal("10.00"))
        ]
        assert totals() == {"INV-000001": Decimal("10.00")}
        assert Subscription.objects.get().next_billing_at == NOVEMBER.end

    def test_finds_nothing_the_second_time(self, seller, plan):
        catalog.subscription(catalog.customer("acme"), plan)
        run()
        assert run().is_empty
        assert Invoice.objects.count() == 1

    def test_leaves_a_period_alone_until_it_has_ended(self, seller, plan):
        catalog.subscription(catalog.customer("acme"), plan)
        just_before = OCTOBER.end - timedelta(microseconds=1)
        assert run(as_of=just_before).is_empty
        assert len(run(as_of=OCTOBER.end).finalized) == 1

    def test_catches_up_every_period_that_was_missed(self, seller, plan):
        catalog.subscription(catalog.customer("acme"), plan, end_at=datetime(2026, 12, 16, tzinfo=UTC))
        catalog.run_gpus("acme", NOVEMBER.start, 2)
        run(as_of=IN_JANUARY, at=IN_JANUARY)
        billed = [
            (each.start_at, each.end_at, each.total) for each in ServicePeriod.objects.order_by("start_at")
        ]
        assert billed == [
            (OCTOBER.start, OCTOBER.end, Decimal("0.00")),
            (NOVEMBER.start, NOVEMBER.end, Decimal("5.00")),
            (NOVEMBER.end, datetime(2026, 12, 16, tzinfo=UTC), Decimal("0.00")),
        ]
        assert Subscription.objects.get().next_billing_at is None

    def test_bills_periods_of_any_anchor_without_a_gap(self, seller, plan):
        berlin = catalog.customer("spree", timezone="Europe/Berlin")
        catalog.subscription(berlin, plan, anchor_date=date(2026, 8, 31))
        run(as_of=IN_JANUARY, at=IN_JANUARY)
        bounds = ServicePeriod.objects.order_by("start_at").values_list("start_at", "end_at")
        ends = [datetime(2026, month, day, 23, tzinfo=UTC) for month, day in ((10, 30), (11, 29), (12, 30))]
        assert list(bounds) == list(zip([OCTOBER.start, *ends], ends, strict=False))

    def test_refuses_the_future(self, seller, plan):
        catalog.subscription(catalog.customer("acme"), plan)
        with pytest.raises(running.AsOfInTheFuture):
            run(as_of=NOW + timedelta(seconds=1))

    def test_needs_a_seller_only_when_something_is_due(self, plan):
        assert run().is_empty
        catalog.subscription(catalog.customer("acme"), plan)
        with pytest.raises(finalizing.SellerMissing):
            run()
        assert not Invoice.objects.exists()

    def test_includes_usage_that_is_not_rolled_up_yet(self, seller, plan):
        catalog.subscription(catalog.customer("acme"), plan)
        catalog.run_gpus("acme", OCTOBER.end - timedelta(hours=2), 2)
        run()
        assert totals() == {"INV-000001": Decimal("5.00")}

    def test_keeps_a_draft_of_usage_without_a_price_and_bills_the_others(self, seller):
        catalog.gpu_hours()
        plan = catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        for key in ("one", "two", "three"):
            catalog.subscription(catalog.customer(key), plan)
        catalog.run_gpus("two", OCTOBER.start, 1, gpu_type="B200")
        summary = run()
        assert [invoice.customer.key for invoice in summary.finalized] == ["one", "three"]
        assert [invoice.customer.key for invoice in summary.blocked] == ["two"]
        assert "gpu_type=B200" in Invoice.objects.get(state="DRAFT").blocked_reason

    def test_tries_a_blocked_draft_again(self, seller):
        catalog.gpu_hours()
        catalog.subscription(
            catalog.customer("acme"), catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        )
        catalog.run_gpus("acme", OCTOBER.start, 1, gpu_type="B200")
        assert len(run().blocked) == 1
        assert len(run().blocked) == 1
        catalog.plan(catalog.component(), at=NOW, effective_at="2026-10-01T00:00:00Z", migration="AT_ONCE")
        assert [invoice.total for invoice in run().finalized] == [Decimal("2.50")]
        assert Invoice.objects.get().blocked_reason == ""

    def test_goes_on_where_one_subscription_is_broken(self, seller, plan, monkeypatch):
        for key in ("one", "two"):
            catalog.subscription(catalog.customer(key), plan)
        SubscriptionCycle.objects.filter(subscription__customer__key="one").update(timezone="Nowhere/Land")
        summary = run()
        assert [invoice.customer.key for invoice in summary.finalized] == ["two"]
        assert "Nowhere/Land" in summary.failed["one-gpu-cloud"]
        assert Invoice.objects.count() == 1

    def test_goes_through_more_than_one_chunk(self, seller, plan, monkeypatch):
        monkeypatch.setattr(claiming, "CUSTOMERS_MAX", 2)
        for n in range(5):
            catalog.subscription(catalog.customer(f"c{n}"), plan)
        assert [invoice.customer.key for invoice in run().finalized] == ["c0", "c1", "c2", "c3", "c4"]

    def test_takes_the_number_with_its_last_statement(self, seller, plan):
        catalog.subscription(catalog.customer("acme"), plan)
        statements = []

        def noting(execute, sql, params, many, context):
            statements.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(noting):
            run()
        numbered = next(n for n, sql in enumerate(statements) if "invoice_number_last +" in sql)
        assert statements[numbered + 1].startswith("RELEASE SAVEPOINT")  # the transaction of the chunk


class Crash(BaseException):
    """The process dies: nothing in the code may catch this."""


def crash_at(number):
    """An execute wrapper that dies in place of the statement of that number."""
    seen = 0

    def wrapper(execute, sql, params, many, context):
        nonlocal seen
        seen += 1
        if seen == number:
            raise Crash
        return execute(sql, params, many, context)

    return wrapper


def dies(number, work):
    """Whether the work has that many statements; it dies in place of the last of them."""
    try:
        with connection.execute_wrapper(crash_at(number)):
            work()
    except Crash:
        return True
    return False


@pytest.mark.django_db
class TestCrash:
    def test_at_any_statement_leaves_the_same_end_once_the_run_is_repeated(self, seller):
        catalog.gpu_hours()
        plan = catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        for key in ("acme", "other"):
            catalog.subscription(catalog.customer(key), plan, end_at=OCTOBER.end)
        catalog.run_gpus("acme", OCTOBER.start, 1, gpu_type="B200")
        catalog.run_gpus("other", OCTOBER.start, 2)

        number, has_died = 0, True
        while has_died:
            number += 1
            before = transaction.savepoint()
            has_died = dies(number, run)
            run()
            assert end_state() == {
                "invoices": [(None, "DRAFT", Decimal("0")), ("INV-000001", "FINALIZED", Decimal("5.00"))],
                "lines": [("acme", 0), ("other", 1)],
                "number": 1,
                "next": [None, None],
            }, f"after dying in place of statement {number}"
            transaction.savepoint_rollback(before)
        assert number > 30

    def test_while_drafts_are_finalized_leaves_the_same_end_once_the_run_is_repeated(self, seller):
        catalog.gpu_hours()
        plan = catalog.plan(catalog.component(), catalog.fee("seat", timing="IN_ADVANCE"))
        acme = catalog.customer("acme", grace_hours=24)
        for key in ("a", "b"):
            catalog.subscription(acme, plan, key=key, subject=f"acme-{key}")
        assert len(run(as_of=OCTOBER.end, at=OCTOBER.end).drafted) == 1
        catalog.run_gpus("acme-a", OCTOBER.start, 2)

        number, has_died = 0, True
        while has_died:
            number += 1
            before = transaction.savepoint()
            has_died = dies(number, run)
            run()
            invoices = Invoice.objects.order_by("pk").values_list("number", "state", "total")
            assert list(invoices) == [
                ("INV-000001", "FINALIZED", Decimal("62.00")),
                ("INV-000002", "FINALIZED", Decimal("67.00")),  # 2 hours at 2.50, and November's fees
            ], f"after dying in place of statement {number}"
            assert ServicePeriod.objects.count() == 6
            transaction.savepoint_rollback(before)
        assert number > 25


def end_state():
    periods = ServicePeriod.objects.annotate(line_count=Count("lines"))
    return {
        "invoices": list(Invoice.objects.order_by("total").values_list("number", "state", "total")),
        "lines": sorted(periods.values_list("invoice__customer__key", "line_count")),
        "number": Seller.objects.get().invoice_number_last,
        "next": list(Subscription.objects.values_list("next_billing_at", flat=True)),
    }


@pytest.mark.django_db(transaction=True)
class TestParallelRuns:
    def test_make_one_invoice_each_with_numbers_without_a_gap(self):
        catalog.seller()
        catalog.gpu_hours()
        plan = catalog.plan()
        for n in range(12):
            catalog.subscription(catalog.customer(f"c{n}"), plan)
            catalog.run_gpus(f"c{n}", OCTOBER.start, n)
        summaries = in_parallel(run, run, run)
        assert [summary.failed for summary in summaries] == [{}, {}, {}]
        assert sum(len(summary.finalized) for summary in summaries) == 12
        assert sorted(totals()) == [f"INV-{n:06}" for n in range(1, 13)]
        assert sum(totals().values()) == Decimal("165.00")  # 66 hours at 2.50
        assert ServicePeriod.objects.count() == 12

    def test_leave_no_gap_where_one_dies_with_its_number(self):
        catalog.seller()
        catalog.gpu_hours()
        plan = catalog.plan()
        for n in range(3):
            catalog.subscription(catalog.customer(f"c{n}"), plan)
        has_number, may_die = threading.Event(), threading.Event()

        def dying_with_a_number(execute, sql, params, many, context):
            answer = execute(sql, params, many, context)
            if "invoice_number_last +" in sql:
                has_number.set()
                may_die.wait(10)
                raise Crash
            return answer

        def dying():
            with connection.execute_wrapper(dying_with_a_number), pytest.raises(Crash):
                run()

        def running_meanwhile():
            has_number.wait(10)
            threading.Timer(0.2, may_die.set).start()
            return run()

        _, summary = in_parallel(dying, running_meanwhile)
        assert len(summary.finalized) == 3
        assert sorted(totals()) == ["INV-000001", "INV-000002", "INV-000003"]
        assert Seller.objects.get().invoice_number_last == 3

    def test_wait_for_a_customer_whom_somebody_else_changes(self):
        catalog.seller()
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        is_locked, may_go = threading.Event(), threading.Event()

        def changing():
            with transaction.atomic():
                Customer.objects.select_for_update().get()
                is_locked.set()
                may_go.wait(10)

        def running_meanwhile():
            is_locked.wait(10)
            releasing = threading.Timer(0.2, may_go.set)
            releasing.start()
            return run()

        _, summary = in_parallel(changing, running_meanwhile)
        assert len(summary.finalized) == 1

    def test_are_not_overtaken_by_a_version_for_the_period_that_they_bill(self):
        catalog.seller()
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        catalog.run_gpus("acme", OCTOBER.start, 4)
        has_read_prices, may_go_on = threading.Event(), threading.Event()

        def stopping_before_the_number(execute, sql, params, many, context):
            if "invoice_number_last +" in sql:
                has_read_prices.set()
                may_go_on.wait(10)
            return execute(sql, params, many, context)

        def billing():
            with connection.execute_wrapper(stopping_before_the_number):
                return run()

        def publishing_meanwhile():
            has_read_prices.wait(10)
            threading.Timer(0.2, may_go_on.set).start()
            dearer = catalog.component(unit_amount="5")
            with pytest.raises(publishing.PeriodsAlreadyInvoiced, match="INV-000001"):
                catalog.plan(dearer, at=NOW, effective_at="2026-10-01T00:00:00Z", migration="AT_ONCE")

        in_parallel(billing, publishing_meanwhile)
        assert totals() == {"INV-000001": Decimal("10.00")}  # 4 hours at 2.50


def in_parallel(*works):
    """The answers of the works, each in a thread and with a connection of its own; raises their errors."""
    answers, errors = [None] * len(works), []
    barrier = threading.Barrier(len(works))

    def thread(place, work):
        try:
            barrier.wait(10)
            answers[place] = work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=thread, args=each) for each in enumerate(works)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    if errors:
        raise errors[0]
    return answers
