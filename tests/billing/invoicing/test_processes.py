"""Invoicing by several processes at once, some of which are killed."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing import subscribing
from billing.invoicing import adjusting, running
from billing.models import Invoice, InvoiceRun, Seller, ServicePeriod
from metering.periods import Period
from tests import servers
from tests.world import catalog

pytestmark = pytest.mark.django_db(transaction=True)

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER

PREAMBLE = """
import os, signal, sys, time
import django
django.setup()
from django.db import connection
from billing.invoicing import claiming, running
from tests.world import catalog
claiming.CUSTOMERS_MAX = 5
print("ready", flush=True)
sys.stdin.readline()
"""
RUN = """
summary = running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
assert summary.failed == {}, summary.failed
print(len(summary.finalized))
"""
DIE_WITH_NUMBERS = """
def dying(execute, sql, params, many, context):
    answer = execute(sql, params, many, context)
    if "invoice_number_last +" in sql:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
with connection.execute_wrapper(dying):
    running.run(as_of=catalog.IN_NOVEMBER, at=catalog.IN_NOVEMBER)
"""
LATE_USAGE = """
from datetime import timedelta
from metering import rolling
for n in range(12):
    catalog.run_gpus(f"c{n}", catalog.OCTOBER.start + timedelta(days=n), 2)
    rolling.roll_up(limit=1, at=catalog.IN_NOVEMBER)
print(12)
"""


def at_once(*scripts):
    """What each script printed last, or None where it died; all begin at the same moment."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + script],
            cwd=servers.CHECKOUT,
            env=servers.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=servers.end_with_parent,
        )
        for script in scripts
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0] for process in processes]
    codes = [process.returncode for process in processes]
    assert set(codes) <= {0, -signal.SIGKILL}
    return [
        None if code else json.loads(answer.splitlines()[-1])
        for code, answer in zip(codes, answers, strict=True)
    ]


def numbers():
    return sorted(Invoice.objects.exclude(number=None).values_list("number", flat=True))


def series(count):
    return [f"INV-{n:06}" for n in range(1, count + 1)]


@pytest.fixture
def customers(db):
    """Twelve customers with four GPU-hours each in October."""
    catalog.seller()
    catalog.gpu_hours()
    plan = catalog.plan()
    for n in range(12):
        catalog.subscription(catalog.customer(f"c{n}"), plan)
        catalog.run_gpus(f"c{n}", OCTOBER.start, 4)


class TestTwoRuns:
    def test_invoice_everybody_once_without_a_gap_in_the_numbers(self, customers):
        one, other = at_once(RUN, RUN)
        assert one + other == 12
        assert numbers() == series(12)
        assert ServicePeriod.objects.count() == 12

    def test_leave_no_gap_where_a_third_is_killed_with_its_numbers(self, customers):
        died, one, other = at_once(DIE_WITH_NUMBERS, RUN, RUN)
        assert died is None
        assert one + other == 12
        assert numbers() == series(12)
        assert Seller.objects.get().invoice_number_last == 12

    def test_leave_a_killed_one_to_be_gone_on_with(self, customers):
        assert at_once(DIE_WITH_NUMBERS) == [None]
        left_behind = InvoiceRun.objects.get(state="RUNNING")
        assert running.resume(as_of=NOW, at=NOW) == left_behind
        for _ in running.chunks(run=left_behind, at=NOW):
            pass
        running.end(run=left_behind, at=NOW)
        assert numbers() == series(12)
        left_behind.refresh_from_db()
        assert (left_behind.state, left_behind.finalized) == ("DONE", 12)


class TestLateUsage:
    def test_is_either_on_the_invoice_or_found_to_be_late(self, customers):
        at_once(RUN, LATE_USAGE)
        assert numbers() == series(12)
        adjusting.run(at=NOW)
        billed = dict.fromkeys((f"c{n}" for n in range(12)), Decimal(0))
        for period in ServicePeriod.objects.select_related("invoice__customer"):
            billed[period.invoice.customer.key] += period.total
        assert billed == dict.fromkeys(billed, Decimal("15.00"))  # 4 and 2 hours at 2.50


@pytest.mark.worker
class TestWorkers:
    def test_share_a_run(self, celery_worker):
        catalog.seller()
        catalog.gpu_hours()
        plan = catalog.plan()
        january = Period(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC))
        for n in range(60):
            subscribing.subscribe(
                customer=catalog.customer(f"c{n}"),
                plan=plan,
                key=f"s{n}",
                start_at=january.start,
                end_at=january.end,
                at=january.start,
            )
        for _ in range(3):
            celery_worker.app.send_task("billing.tasks.invoice_due_subscriptions")
        ends_at = time.monotonic() + 40
        while time.monotonic() < ends_at and not has_ended():
            time.sleep(0.1)
        assert has_ended(), celery_worker.log.read_text()
        assert numbers() == series(60)
        assert sum(InvoiceRun.objects.values_list("finalized", flat=True)) == 60


def has_ended():
    states = set(InvoiceRun.objects.values_list("state", flat=True))
    return states == {"DONE"} and len(numbers()) == 60
