"""Whatever happens in whatever order: what was invoiced less what was given back is what the usage costs."""

import contextlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import reconciling
from billing.invoicing import adjusting, crediting, running, voiding
from billing.models import CreditNoteLine, CustomerSubject, Invoice, ServicePeriod
from metering import rolling
from metering.models import EventKey
from tests.billing.invoicing import test_processes as processes
from tests.world import catalog, events, meters

OCTOBER, NOVEMBER, NOW = catalog.OCTOBER, catalog.NOVEMBER, catalog.IN_NOVEMBER
IN_DECEMBER = datetime(2026, 12, 2, tzinfo=UTC)
LATER = datetime(2027, 1, 20, tzinfo=UTC)

USES = st.tuples(
    st.just("use"), st.sampled_from([OCTOBER.start, NOVEMBER.start]), st.sampled_from([4, 1, -1, -3, 7])
)
STEPS = st.lists(
    st.one_of(USES, USES, st.sampled_from([("adjust",), ("bill",), ("gift",), ("reissue",)])), max_size=6
)


class Books:
    """One customer who pays 2.50 a unit, never less than nothing a month."""

    def __init__(self):
        catalog.seller()
        meters.meter("units", "SUM", value="n")
        price = {"model": "per_unit", "unit_amount": "2.5"}
        plan = catalog.plan({"code": "units", "meter": "units", "price": price})
        catalog.subscription(catalog.customer("acme"), plan)
        self.units = {OCTOBER.start: 0, NOVEMBER.start: 0}
        self.at = NOW

    def use(self, month, units):
        self.units[month] += units
        number = EventKey.objects.count()
        time = month + timedelta(hours=number + 1)
        events.store([events.event(number, time, {"n": units}, subject="acme")])

    def adjust(self):
        rolling.roll_up(limit=100, at=self.at)
        assert adjusting.run(at=self.at).failed == {}

    def bill(self):
        rolling.roll_up(limit=100, at=self.at)
        assert running.run(as_of=self.at, at=self.at).failed == {}
        self.at = IN_DECEMBER if self.at == NOW else LATER

    def gift(self):
        for invoice in Invoice.objects.filter(state="FINALIZED", total__gte=2)[:1]:
            with transaction.atomic():
                with contextlib.suppress(crediting.CreditTooLarge):
                    crediting.credit_amount(
                        invoice=invoice, amount=Decimal("1.50"), reason="Outage", at=self.at
                    )

    def reissue(self):
        untouched = Invoice.objects.filter(state="FINALIZED", credit_notes=None)
        for invoice in untouched.filter(service_periods__sequence=1).order_by("pk")[:1]:
            voiding.void(invoice=invoice, at=self.at)
            voiding.reissue(invoice=invoice, at=self.at)

    def net(self, month):
        """What stands for a month, adjustments that wait included."""
        rows = ServicePeriod.objects.filter(start_at=month, is_void=False)
        back = CreditNoteLine.objects.filter(service_period__in=rows)
        return sum((row.total for row in rows), Decimal(0)) - sum((row.amount for row in back), Decimal(0))


@pytest.mark.django_db
class TestBooks:
    @settings(max_examples=20)
    @given(steps=STEPS)
    def test_hold_what_the_usage_costs(self, steps):
        with transaction.atomic():
            books = Books()
            books.use(OCTOBER.start, 5)
            for verb, *values in [*steps, ("bill",), ("bill",), ("bill",), ("adjust",)]:
                getattr(books, verb)(*values)
            for month, units in books.units.items():
                assert books.net(month) == max(0, units) * Decimal("2.5")
            assert list(reconciling.invoices(at=LATER)) == []
            assert adjusting.run(at=LATER).is_empty
            transaction.set_rollback(True)


class Interrupted(Exception):
    """A fault in the middle of it."""


def interrupted(nth):
    """Lets the nth statement that writes fail; answers, too, whether there was one."""
    seen = []

    def wrapper(execute, sql, params, many, context):
        if sql.lstrip().lower().startswith(("insert", "update", "delete", "with taken")):
            seen.append(sql)
            if len(seen) == nth:
                raise Interrupted
        return execute(sql, params, many, context)

    return wrapper, seen


@pytest.mark.django_db
class TestInterruption:
    @pytest.mark.parametrize(
        ("units", "more", "back"), [(3, Decimal("7.50"), Decimal(0)), (-3, Decimal(0), Decimal("7.50"))]
    )
    def test_at_any_statement_leaves_the_rest_for_the_next_time(self, units, more, back):
        books = Books()
        books.use(OCTOBER.start, 5)
        books.bill()
        books.adjust()
        books.use(OCTOBER.start, units)
        rolling.roll_up(limit=100, at=NOW)
        has_failed, nth = True, 0
        while has_failed:
            nth += 1
            before = transaction.savepoint()
            wrapper, seen = interrupted(nth)
            with connection.execute_wrapper(wrapper):
                has_failed = bool(adjusting.run(at=NOW).failed)
            assert has_failed == (len(seen) >= nth)
            adjusting.run(at=NOW)
            waiting = Invoice.objects.filter(state="DRAFT")
            assert sum((invoice.total for invoice in waiting), Decimal(0)) == more
            assert sum((line.amount for line in CreditNoteLine.objects.all()), Decimal(0)) == back
            assert list(reconciling.invoices(at=NOW)) == []
            transaction.savepoint_rollback(before)
        assert nth == 4  # three statements write


TICK = """
from billing.invoicing import adjusting
summary = adjusting.run(at=catalog.IN_NOVEMBER)
assert summary.failed == {}, summary.failed
print(len(summary.pending) + len(summary.credited))
"""


@pytest.mark.django_db(transaction=True)
class TestTwoTicks:
    def test_charge_everything_once(self):
        self.bill(customers=6)
        for n in range(6):
            catalog.run_gpus(f"c{n}", OCTOBER.start + timedelta(days=2), 2)
        rolling.roll_up(limit=100, at=NOW)
        processes.at_once(TICK, TICK)
        waiting = Invoice.objects.filter(state="DRAFT")
        assert [invoice.total for invoice in waiting] == [Decimal("5.00")] * 6
        assert ServicePeriod.objects.filter(sequence=2).count() == 6

    def test_give_everything_back_once(self):
        """Of each customer the subject that was charged gets no payer at all, after the fact."""
        self.bill(customers=6)
        CustomerSubject.objects.all().delete()
        processes.at_once(TICK, TICK)
        notes = CreditNoteLine.objects.order_by("credit_note__number")
        assert [(line.credit_note.number, str(line.amount)) for line in notes] == [
            (f"CN-{n:06}", "10.00") for n in range(1, 7)
        ]

    def bill(self, customers):
        catalog.seller()
        catalog.gpu_hours()
        plan = catalog.plan()
        for n in range(customers):
            catalog.subscription(catalog.customer(f"c{n}"), plan)
            catalog.run_gpus(f"c{n}", OCTOBER.start, 4)
        rolling.roll_up(limit=100, at=NOW)
        running.run(as_of=NOW, at=NOW)
        adjusting.run(at=NOW)
