from datetime import UTC, date, datetime

import pytest

from billing.exports import invoices, parties
from tests.billing.exports import sample

pytestmark = pytest.mark.django_db
JUNE = date(2020, 6, 1)


def numbers(month):
    return [invoice.number for invoice in invoices.stream(month=month)]


class TestMonth:
    def test_holds_the_invoice_whose_service_ended_with_it(self):
        sample.finalized(sample.draft(lines=[sample.calls()]))
        assert numbers(sample.MAY) == ["INV-000001"]
        assert numbers(JUNE) == []
        assert numbers(date(2020, 4, 1)) == []

    def test_takes_an_end_inside_it(self):
        one = sample.draft(lines=[sample.calls()], end_at=datetime(2020, 5, 31, 23, tzinfo=UTC))
        sample.finalized(one)
        assert numbers(sample.MAY) == ["INV-000001"]

    def test_leaves_an_end_one_microsecond_after_midnight_to_the_next(self):
        one = sample.draft(lines=[sample.calls()], end_at=datetime(2020, 6, 1, 0, 0, 0, 1, tzinfo=UTC))
        sample.finalized(one)
        assert numbers(sample.MAY) == []
        assert numbers(JUNE) == ["INV-000001"]

    @pytest.mark.parametrize(
        ("zone", "end_at"),
        [
            ("Asia/Shanghai", datetime(2020, 5, 31, 16, tzinfo=UTC)),
            ("America/Los_Angeles", datetime(2020, 6, 1, 7, tzinfo=UTC)),
        ],
    )
    def test_ends_by_the_clock_of_the_subscription(self, zone, end_at):
        sample.finalized(sample.draft(lines=[sample.calls()], timezone=zone, end_at=end_at))
        assert numbers(sample.MAY) == ["INV-000001"]
        assert numbers(JUNE) == []

    def test_of_a_late_finalization_is_still_that_of_the_service(self):
        sample.finalized(sample.draft(lines=[sample.calls()]), at=datetime(2026, 11, 2, tzinfo=UTC))
        assert numbers(sample.MAY) == ["INV-000001"]

    def test_of_usage_decides_also_where_a_fee_in_advance_stands_beside_it(self):
        one = sample.draft(lines=[sample.calls()])
        july = datetime(2020, 7, 1, tzinfo=UTC)
        sample.add_period(one, lines=[sample.calls()], start_at=sample.END, end_at=july, part="ADVANCE")
        sample.finalized(one)
        assert numbers(sample.MAY) == ["INV-000001"]
        assert numbers(JUNE) == []

    def test_of_a_fee_in_advance_alone_is_the_one_that_it_starts_in(self):
        sample.finalized(sample.draft(lines=[sample.calls()], part="ADVANCE"))
        assert numbers(sample.MAY) == ["INV-000001"]


class TestStream:
    def test_comes_in_the_order_of_numbers(self):
        for number in ("INV-10", "INV-9", "INV-100"):
            sample.finalized(sample.draft(lines=[sample.calls()], buyer=sample.customer(number)), number)
        assert numbers(sample.MAY) == ["INV-9", "INV-10", "INV-100"]

    def test_leaves_drafts_out_and_counts_them(self):
        sample.draft(lines=[sample.calls()])
        assert numbers(sample.MAY) == []
        assert invoices.draft_count(month=sample.MAY) == 1

    def test_crosses_the_bound_of_a_chunk(self, monkeypatch):
        monkeypatch.setattr(invoices, "CHUNK", 2)
        buyer = sample.customer()
        for number in range(1, 6):
            sample.finalized(sample.draft(lines=[sample.calls()], buyer=buyer), f"INV-{number}")
        found = list(invoices.stream(month=sample.MAY))
        assert [invoice.number for invoice in found] == ["INV-1", "INV-2", "INV-3", "INV-4", "INV-5"]
        assert all(len(voucher.periods[0].lines.all()) == 1 for voucher in found)

    def test_needs_no_further_query_for_periods_and_lines(self, django_assert_num_queries):
        sample.finalized(sample.draft(lines=[sample.calls(), sample.calls()]))
        found = list(invoices.stream(month=sample.MAY))
        with django_assert_num_queries(0):
            lines = [line for period in found[0].periods for line in period.lines.all()]
            assert found[0].invoice.customer.key == "acme"
        assert len(lines) == 2


class TestTotals:
    def test_add_up_by_currency_without_void_invoices(self):
        yen = sample.customer("yen", currency="JPY")
        buyer = sample.customer()
        sample.finalized(sample.draft(lines=[sample.calls(amount="0.10")], buyer=buyer), "INV-1")
        paid = sample.finalized(sample.draft(lines=[sample.calls(amount="0.20")], buyer=buyer), "INV-2")
        sample.in_state(paid, "PAID")
        void = sample.finalized(sample.draft(lines=[sample.calls(amount="7.00")], buyer=buyer), "INV-3")
        sample.in_state(void, "VOID")
        sample.finalized(sample.draft(lines=[sample.calls(amount="1200")], buyer=yen), "INV-4")
        count, totals = invoices.totals(month=sample.MAY)
        assert count == 3
        assert {currency: f"{amount}" for currency, amount in totals.items()} == {
            "USD": "0.30",
            "JPY": "1200",
        }


class TestBuyer:
    def test_is_as_it_was_when_the_invoice_was_finalized(self):
        buyer = sample.customer(name="Old name")
        one = sample.finalized(sample.draft(lines=[], buyer=buyer))
        buyer.name = "New name"
        buyer.save()
        one.refresh_from_db()
        assert parties.buyer(one)["name"] == "Old name"

    def test_of_a_draft_is_as_it_is_now(self):
        one = sample.draft(lines=[], buyer=sample.customer(name="Now"))
        assert parties.buyer(one)["name"] == "Now"
        assert parties.seller(one)["name"] == "Nordlicht Compute"
