from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from billing import subscribing, taxing
from billing.invoicing import adjusting, crediting, drafting, running, voiding
from billing.models import CreditNote, Invoice, InvoiceLine, Recheck, ServicePeriod, Subscription
from metering import rolling
from metering.models import EventKey
from metering.periods import Period
from tests.world import catalog, events, meters

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER, NOW = catalog.OCTOBER, catalog.NOVEMBER, catalog.IN_NOVEMBER
LATER = NOW + timedelta(days=1)
IN_DECEMBER = datetime(2026, 12, 2, 9, 30, tzinfo=UTC)
TWENTIETH = datetime(2026, 10, 20, tzinfo=UTC)


def use(units, at=OCTOBER.start, subject="acme", model="small"):
    """Units of usage; a negative number takes some back."""
    values = {"n": units, "model": model}
    events.store([events.event(EventKey.objects.count(), at, values, subject=subject)])


def roll():
    rolling.roll_up(limit=1000, at=NOW)


def late(units, at=TWENTIETH, **fields):
    """Usage of October that becomes known in November."""
    use(units, at, **fields)
    roll()


def priced(code="units", unit_amount="2.5", **fields):
    """A component of units at a price for each."""
    price = {"model": "per_unit", "unit_amount": unit_amount}
    return {"code": code, "meter": "units", "price": price, **fields}


def plan(**fields):
    return catalog.plan(priced(), **fields)


def adjust(at=LATER):
    return adjusting.run(at=at)


def bill(at):
    return running.run(as_of=at, at=at).finalized


@pytest.fixture
def acme(db):
    catalog.seller()
    meters.meter("units", "SUM", value="n", dimensions={"model": "model"})
    return catalog.customer("acme")


@pytest.fixture
def subscription(acme):
    return catalog.subscription(acme, plan())


@pytest.fixture
def invoice(subscription):
    """October: 4 units at 2.50."""
    use(4)
    roll()
    [made] = bill(NOW)
    assert made.total == Decimal("10.00")
    adjust(NOW)  # the subject was assigned lately: that is looked at once
    return made


def lines(invoice):
    rows = InvoiceLine.objects.filter(service_period__invoice=invoice).order_by(
        "service_period_id", "position"
    )
    return [(row.service_period.start_at.month, row.kind, row.component, str(row.amount)) for row in rows]


class TestRun:
    def test_changes_nothing_where_nothing_came(self, invoice):
        assert adjust().is_empty
        assert (Invoice.objects.count(), CreditNote.objects.count()) == (1, 0)

    def test_has_late_usage_wait_for_the_next_invoice(self, invoice):
        late(2)
        summary = adjust()
        assert (summary.compared, len(summary.pending), summary.credited) == (1, 1, [])
        waiting = Invoice.objects.get(state="DRAFT")
        assert (waiting.finalize_at, waiting.total) == (None, Decimal("5.00"))
        period = waiting.service_periods.get()
        assert (period.start_at, period.end_at, period.part, period.sequence) == (
            OCTOBER.start,
            OCTOBER.end,
            "ARREARS",
            2,
        )
        assert lines(waiting) == [(10, "adjustment", "units", "5.00")]
        assert InvoiceLine.objects.get(service_period=period).adjusts == "usage"

    def test_puts_it_on_the_next_invoice(self, invoice):
        late(2)
        adjust()
        use(1, NOVEMBER.start)
        [november] = bill(IN_DECEMBER)
        assert lines(november) == [(10, "adjustment", "units", "5.00"), (11, "usage", "units", "2.50")]
        assert november.total == Decimal("7.50")
        assert Invoice.objects.count() == 2

    def test_is_safe_to_repeat(self, invoice):
        late(2)
        adjust()
        assert adjust().is_empty
        late(4, at=TWENTIETH + timedelta(days=1))
        adjust()
        adjust()
        waiting = Invoice.objects.get(state="DRAFT")
        assert lines(waiting) == [(10, "adjustment", "units", "15.00")]
        bill(IN_DECEMBER)
        assert adjust(IN_DECEMBER).is_empty

    def test_is_not_finalized_before_the_next_invoice(self, invoice):
        late(2)
        adjust()
        assert bill(LATER + timedelta(days=3)) == []
        assert Invoice.objects.filter(state="DRAFT").count() == 1

    def test_only_notes_the_counters_where_the_amount_is_the_same(self, acme):
        free = catalog.plan(priced(included={"quantity": "100", "every": "PERIOD"}))
        catalog.subscription(acme, free)
        use(4)
        roll()
        [invoice] = bill(NOW)
        adjust(NOW)
        before = invoice.service_periods.get().revisions
        late(2)
        assert adjust().compared == 1
        assert invoice.service_periods.get().revisions != before
        assert Invoice.objects.count() == 1
        assert adjust().is_empty

    def test_gives_back_at_once_what_is_due_less(self, invoice):
        late(-4)
        summary = adjust()
        [note] = summary.credited
        assert (note.invoice, note.number, note.total) == (invoice, "CN-000001", Decimal("10.00"))
        assert note.reason == "Less usage than was billed from 2026-10-01 00:00 to 2026-11-01 00:00 UTC"
        [line] = note.lines.all()
        assert (line.component, line.kind, line.amount) == ("units", "usage", Decimal("10.00"))
        assert line.service_period == invoice.service_periods.get()
        assert Invoice.objects.get().state == "PAID"  # nothing of it is owed any more
        assert adjust().is_empty

    def test_gives_the_tax_and_the_discount_back_with_it(self, acme):
        taxing.assign(customer=acme, rates=[taxing.define_rate(code="vat", name="VAT", percent=Decimal(19))])
        catalog.subscription(acme, plan(discounts=[{"percent": "10", "name": "Launch"}]))
        use(4)
        late(4)
        [invoice] = bill(NOW)
        assert invoice.total == Decimal("21.42")  # 20.00 less 10 % = 18.00, and 19 % of it 3.42
        late(-4)
        [note] = adjust().credited
        # 10.00 less 10 % = 9.00, and 19 % of it 1.71
        assert (note.subtotal, note.tax_total, note.total) == (
            Decimal("9.00"),
            Decimal("1.71"),
            Decimal("10.71"),
        )
        assert [(line.kind, str(line.amount)) for line in note.lines.all()] == [
            ("usage", "10.00"),
            ("plan_discount", "-1.00"),
        ]
        late(4, at=TWENTIETH + timedelta(days=2))
        adjust()
        waiting = Invoice.objects.get(state="DRAFT")
        assert (waiting.subtotal, waiting.discount_total, waiting.tax_total) == (
            Decimal("10.00"),
            Decimal("1.00"),
            Decimal("1.71"),
        )

    def test_takes_back_an_adjustment_that_waits_before_it_gives_back(self, invoice):
        late(2)
        adjust()
        late(-4)  # 4 of 6 hours: 5.00 are due, 10.00 were billed
        [note] = adjust().credited
        assert note.total == Decimal("5.00")
        assert Invoice.objects.filter(state="DRAFT").count() == 0

    def test_gives_back_of_the_latest_invoice_first(self, invoice):
        late(8)
        adjust()
        [november] = bill(IN_DECEMBER)
        assert november.total == Decimal("20.00")
        late(-4)
        late(-8)
        notes = adjust(IN_DECEMBER).credited
        assert [(note.invoice.number, note.total) for note in notes] == [
            ("INV-000002", Decimal("20.00")),
            ("INV-000001", Decimal("10.00")),
        ]
        assert adjust(IN_DECEMBER).is_empty

    def test_counts_what_a_person_gave_back_already(self, invoice):
        crediting.credit_amount(invoice=invoice, amount=Decimal("8.00"), reason="Outage", at=NOW)
        late(-4)  # nothing is due, 10.00 were billed, of which 2.00 are left
        [note] = adjust().credited
        assert (note.subtotal, note.total) == (Decimal("2.00"), Decimal("2.00"))
        assert [(line.name, str(line.amount)) for line in note.lines.all()] == [
            ("units", "10.00"),
            ("Given back before", "-8.00"),
        ]
        assert adjust().is_empty

    def test_leaves_given_what_a_person_gave(self, invoice):
        crediting.credit_amount(invoice=invoice, amount=Decimal("8.00"), reason="Outage", at=NOW)
        late(2)
        adjust()
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "5.00")]

    def test_makes_an_invoice_of_its_own_after_the_subscriptions_end(self, acme):
        catalog.subscription(acme, plan(), end_at=NOVEMBER.start)
        use(4)
        roll()
        bill(NOW)
        late(2)
        [own] = adjust().invoiced
        assert (own.state, own.number, own.total) == ("FINALIZED", "INV-000002", Decimal("5.00"))
        assert adjust().is_empty

    def test_rates_by_the_prices_of_that_time(self, invoice, subscription):
        catalog.plan(priced(unit_amount="9"), at=LATER, migration="AT_ONCE")
        late(2)
        adjust(LATER + timedelta(hours=1))
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "5.00")]

    def test_notes_a_piece_that_cannot_be_rated_and_goes_on_with_others(self, acme):
        only_small = catalog.plan(priced(where={"model": ["small"]}), code="small")
        catalog.subscription(acme, only_small)
        catalog.subscription(catalog.customer("beta"), plan())
        use(4)
        use(4, subject="beta")
        roll()
        assert len(bill(NOW)) == 2
        late(1, model="new")
        late(2, subject="beta")
        summary = adjust()
        assert list(summary.failed) == ["acme-small"]
        assert "new" in Recheck.objects.exclude(failure="").get().failure
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "5.00")]

    def test_finds_a_subject_that_got_its_payer_late(self, invoice, subscription, acme):
        late(2, subject="acme-lab")
        assert adjust().is_empty
        assign(acme, "acme-lab", Period(OCTOBER.start, NOVEMBER.end), subscription)
        adjust()
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "5.00")]
        assert Recheck.objects.count() == 0

    def test_finds_a_payer_who_pays_for_more_days_of_the_same_month(self, invoice, subscription, acme):
        late(2, subject="acme-lab", at=datetime(2026, 10, 5, tzinfo=UTC))
        late(4, subject="acme-lab", at=datetime(2026, 10, 25, tzinfo=UTC))
        twentieth_on = Period(TWENTIETH, NOVEMBER.end)
        payer = assign(acme, "acme-lab", twentieth_on, subscription)
        adjust()
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "10.00")]
        payer.validity = (OCTOBER.start, NOVEMBER.end)
        payer.save()
        adjust()
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "15.00")]

    def test_leaves_drafts_and_void_invoices_alone(self, invoice):
        voiding.void(invoice=invoice, at=NOW)
        late(2)
        assert adjust().is_empty
        voiding.reissue(invoice=invoice, at=NOW)
        late(4, at=TWENTIETH + timedelta(days=1))
        assert adjust().is_empty

    def test_bills_an_adjustment_again_that_was_voided(self, invoice):
        late(2)
        adjust()
        [november] = bill(IN_DECEMBER)
        voiding.void(invoice=november, at=IN_DECEMBER)
        adjust(IN_DECEMBER)
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "5.00")]

    def test_finds_an_adjustment_again_whose_draft_was_discarded(self, invoice):
        late(2)
        adjust()
        drafting.discard(invoice=Invoice.objects.get(state="DRAFT"))
        adjust()
        assert lines(Invoice.objects.get(state="DRAFT")) == [(10, "adjustment", "units", "5.00")]

    def test_finalizes_what_waits_where_no_next_invoice_will_come(self, invoice, subscription):
        late(2)
        adjust()
        Subscription.objects.update(next_billing_at=None, next_advance_at=None)
        [own] = adjust().invoiced
        assert (own.number, own.total) == ("INV-000002", Decimal("5.00"))

    def test_stops_where_it_is_told_to(self, invoice):
        late(2)
        assert adjusting.run(at=LATER, is_enough=lambda: True).is_empty
        assert len(adjust().pending) == 1

    def test_counts_it_where_the_adjusted_invoice_is_issued_again(self, invoice):
        late(2)
        adjust()
        bill(IN_DECEMBER)
        voiding.void(invoice=invoice, at=IN_DECEMBER)
        voiding.reissue(invoice=invoice, at=IN_DECEMBER)
        [again] = bill(IN_DECEMBER)
        assert again.total == Decimal("10.00")  # 15.00 are due, 5.00 stand on November's invoice
        assert adjust(IN_DECEMBER).is_empty


class TestAdjustment:
    def test_is_rated_from_the_input_that_it_stores(self, invoice):
        late(2)
        adjust()
        row = ServicePeriod.objects.get(sequence=2)
        assert row.rating_sha256
        assert row.total == Decimal("5.00")
        assert {key for of_version in row.revisions.values() for key in of_version} == {"acme|2026-10"}


def assign(customer, subject, validity, subscription):
    return subscribing.assign_subject(
        customer=customer, subject=subject, validity=validity, subscription=subscription
    )
