"""The invoice run: many subscriptions with usage, billed by two workers."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from tests.bench import stock, worker
from tests.bench.rows import rolling
from tests.bench.shape import MeasurementWrong, Result, Row, Run

WORKERS = 2
EVENTS_EACH = 10
COUNTED_IN = 500  # invoices of the run whose statements are counted
MEMORY_MAX_MB, STATEMENTS_MAX, GROWTH_MAX = 400.0, 3.0, 2.2
JANUARY_END, AS_OF = datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 2, 2, tzinfo=UTC)
RUN_S_MAX = 1_800.0

PLAN = {
    "code": "models",
    "name": "Models",
    "currency": "USD",
    "interval": "MONTH",
    "components": [
        {"code": "calls", "meter": "calls", "price": {"model": "per_unit", "unit_amount": "0.002"}},
        {
            "code": "input",
            "meter": "input_tokens",
            "included": {"quantity": "5000", "every": "PERIOD"},
            "price": {"model": "per_unit", "unit_amount": "0.0000025"},
        },
        {
            "code": "output",
            "meter": "output_tokens",
            "price": {
                "model": "graduated",
                "tiers": [
                    {"up_to": "5000", "unit_amount": "0.00002"},
                    {"up_to": None, "unit_amount": "0.00001"},
                ],
            },
        },
    ],
}

# What a run writes is at least this: the rows themselves, without a line of the product's.
COPY = """
drop table if exists bench_invoice, bench_period, bench_line;
create table bench_invoice (like billing_invoice including all);
create table bench_period (like billing_serviceperiod including all);
create table bench_line (like billing_invoiceline including all);
insert into bench_invoice select * from billing_invoice;
insert into bench_period select * from billing_serviceperiod;
insert into bench_line select * from billing_invoiceline;
drop table bench_invoice, bench_period, bench_line;
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run over so many invoices."""

    invoices: int
    run_s: float
    copy_s: float
    memory_mb: float


def speed(run: Run) -> Result:
    """Invoices a second; the baseline copies the rows that the run wrote."""
    each = _measured(run, run.size.invoices)
    return Result(
        [(each.invoices / each.run_s, each.invoices / each.copy_s)],
        [f"{each.invoices:,} subscriptions with 3 components in {each.run_s:.1f} s, {WORKERS} workers"],
    )


def growth(run: Run) -> Result:
    """Seconds for twice as many invoices; the baseline is what they may take."""
    once, twice = _measured(run, run.size.invoices), _measured(run, 2 * run.size.invoices)
    growth = f"{twice.run_s / once.run_s:.2f}"
    return Result(
        [(twice.run_s, GROWTH_MAX * once.run_s)],
        [f"{twice.invoices:,} invoices took {growth} times as long as {once.invoices:,}"],
    )


def memory(run: Run) -> Result:
    """The most megabytes that one process of the worker held over both sizes."""
    measured = [_measured(run, size) for size in (run.size.invoices, 2 * run.size.invoices)]
    return Result([(max(each.memory_mb for each in measured), MEMORY_MAX_MB)])


def statements(run: Run) -> Result:
    """SQL statements for an invoice in a run over some chunks."""
    from django.db import connection

    from billing.invoicing import running

    _fill(run, COUNTED_IN)
    count = 0

    def counting(execute, sql, params, many, context):  # type: ignore[no-untyped-def]  # Django's wrapper
        nonlocal count
        count += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        running.run(as_of=AS_OF, at=datetime.now(UTC))
    _check(run, COUNTED_IN)
    return Result([(count / COUNTED_IN, STATEMENTS_MAX)], [f"{count} statements for {COUNTED_IN} invoices"])


@functools.cache
def _measured(run: Run, invoices: int) -> Measured:
    from billing.invoicing import running
    from billing.models import InvoiceRun

    _fill(run, invoices)
    with worker.running(run, processes=WORKERS) as started:
        row = running.start(as_of=AS_OF, at=datetime.now(UTC))
        if row is None or row.due != invoices:
            raise MeasurementWrong(f"not everybody was due: {row and row.due} of {invoices}")
        began = time.perf_counter()
        for _ in range(WORKERS):
            started.app.send_task("billing.tasks.bill_chunks", kwargs={"run_id": row.pk})
        while InvoiceRun.objects.get(pk=row.pk).state == InvoiceRun.State.RUNNING:
            if time.perf_counter() - began > RUN_S_MAX:
                raise MeasurementWrong(f"the run did not end in {RUN_S_MAX:.0f} s")
            time.sleep(0.05)
        run_s = time.perf_counter() - began
        memory_mb = started.memory_peak_bytes() / 1e6
    _check(run, invoices)
    with run.database.connect() as direct:
        began = time.perf_counter()
        for statement in COPY.strip().split(";\n"):
            direct.execute(statement)
        copy_s = time.perf_counter() - began
    return Measured(invoices, run_s, copy_s, memory_mb)


def _fill(run: Run, customers: int) -> None:
    """Customers with a subscription each, and rolled up events of January 2025; no invoice yet."""
    run.database.empty()
    with run.database.connect() as direct:
        events = stock.Stock(customers * EVENTS_EACH, subjects=customers, months=1, month_s=28 * 86_400)
        stock.fill(direct, events)
        rolling.all_rolled_up_s()
        _subscribe(customers)
        direct.execute("vacuum analyze")


def _subscribe(customers: int) -> None:
    from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

    from billing import publishing, registering
    from billing.models import (
        Customer,
        CustomerSubject,
        Subscription,
        SubscriptionCycle,
        SubscriptionPhase,
    )

    registering.seller(name="Nimbus")
    plan = publishing.apply(document=PLAN, at=stock.START).version.plan
    buyers = Customer.objects.bulk_create(
        Customer(key=f"customer-{n:05}", name=f"Customer {n}", currency="USD", created_at=stock.START)
        for n in range(customers)
    )
    made = Subscription.objects.bulk_create(
        Subscription(
            key=buyer.key,
            customer=buyer,
            anchor_date=date(2025, 1, 1),
            timezone="UTC",
            start_at=stock.START,
            next_billing_at=JANUARY_END,
            next_advance_at=JANUARY_END,
            created_at=stock.START,
        )
        for buyer in buyers
    )
    forever = DateTimeTZRange(stock.START, None)
    SubscriptionPhase.objects.bulk_create(
        SubscriptionPhase(subscription=each, plan=plan, validity=forever) for each in made
    )
    SubscriptionCycle.objects.bulk_create(
        SubscriptionCycle(
            subscription=each,
            start_at=stock.START,
            anchor_date=date(2025, 1, 1),
            timezone="UTC",
            interval="MONTH",
        )
        for each in made
    )
    CustomerSubject.objects.bulk_create(
        CustomerSubject(customer=each.customer, subject=each.key, validity=forever, subscription=each)
        for each in made
    )


def _check(run: Run, invoices: int) -> None:
    """Every invoice is there, its numbers have no gap, and all usage is on the lines."""
    with run.database.connect() as direct:
        row = direct.execute(
            "select (select count(*) from billing_invoice where state = 'FINALIZED'),"
            " (select max(number) from billing_invoice),"
            " (select sum(quantity::numeric) from billing_invoiceline where component = 'calls')"
        ).fetchone()
    expected = (invoices, f"INV-{invoices:06}", Decimal(invoices * EVENTS_EACH))
    if row is None or tuple(row) != expected:
        raise MeasurementWrong(f"the run made {row}, not {expected}")


ROWS = (
    Row(
        name="invoice-run",
        title=f"invoice run, {WORKERS} workers, 3 components each",
        unit="invoices/s",
        against="copying the rows that it wrote",
        least=None,
        run=speed,
    ),
    Row(
        name="invoice-growth",
        title="invoice run over twice as many subscriptions",
        unit="s",
        against=f"{GROWTH_MAX} times the time of half as many",
        least=1.0,
        run=growth,
        is_less_better=True,
    ),
    Row(
        name="invoice-memory",
        title="peak memory of a worker of the invoice run",
        unit="MB",
        against=f"a limit of {MEMORY_MAX_MB:.0f} MB",
        least=1.0,
        run=memory,
        is_less_better=True,
    ),
    Row(
        name="invoice-statements",
        title="SQL statements for an invoice of a run",
        unit="each",
        against=f"a limit of {STATEMENTS_MAX:.0f}",
        least=1.0,
        run=statements,
        is_less_better=True,
    ),
)
