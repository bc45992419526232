from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.exports import document, invoices
from billing.exports.vouchers import Voucher
from tests.billing.exports import sample

pytestmark = pytest.mark.django_db


def printed(invoice):
    return document.of(Voucher(invoices.with_lines(invoice=invoice)))


def lines(invoice):
    return [
        line
        for section in printed(invoice)["sections"]
        for group in section["groups"]
        for line in group["lines"]
    ]


def step(label, quantity, unit_amount, amount):
    return {"label": label, "quantity": quantity, "unit_amount": unit_amount, "amount": amount}


class TestFacts:
    def test_name_dates_by_the_clock_of_the_subscription(self):
        may = {
            "start_at": datetime(2020, 4, 30, 16, tzinfo=UTC),
            "end_at": datetime(2020, 5, 31, 16, tzinfo=UTC),
            "timezone": "Asia/Shanghai",
        }
        one = sample.draft(lines=[], **may)
        late = datetime(2020, 6, 3, 20, tzinfo=UTC)
        assert printed(sample.finalized(one, at=late))["facts"] == [
            ["Invoice number", "INV-000001"],
            ["Invoice date", "June 4, 2020"],
            ["Due date", "July 3, 2020"],
            ["Service period", "May 1 – 31, 2020 (Asia/Shanghai)"],
            ["Customer no.", "acme"],
        ]

    def test_of_a_draft_have_neither_number_nor_dates(self):
        assert printed(sample.draft(lines=[]))["facts"] == [
            ["Service period", "May 1 – 31, 2020 (UTC)"],
            ["Customer no.", "acme"],
        ]


class TestLine:
    def test_with_one_price_shows_it_and_no_steps(self):
        (line,) = lines(sample.draft(lines=[sample.calls()]))
        assert (line["quantity"], line["unit_price"], line["amount"], line["steps"]) == (
            "8,819",
            "0.15",
            "1,322.85",
            [],
        )

    def test_with_a_quantity_that_does_not_end_still_has_one_price(self):
        third = sample.line(
            "GPU-hours",
            "34.67",
            quantity="26.6666666667",
            quantity_exact="80/3",
            unrounded="34.6666666667",
            unrounded_exact="104/3",
            steps=[step("26.6666666667 x 1.3", "26.6666666667", "1.3", "34.6666666667")],
        )
        (line,) = lines(sample.draft(lines=[third]))
        assert (line["quantity"], line["unit_price"], line["steps"]) == ("26.666667", "1.3", [])

    def test_with_tiers_and_free_units_shows_the_way(self):
        steps = [
            step("included: 1000", "1000", None, "0"),
            step("first 0: 0 x 0.5", "0", "0.5", "0"),
            step("first 100: 100 x 0.5", "100", "0.5", "50"),
            step("over 100: 2500 x 0.25", "2500", "0.25", "625"),
            step("10% discount: -67.5", None, None, "-67.5"),
        ]
        (line,) = lines(sample.draft(lines=[sample.line("Calls", "607.50", quantity="3600", steps=steps)]))
        assert line["unit_price"] == ""
        assert line["steps"] == [
            "included: 1,000",
            "first 100: 100 × 0.5 = 50",
            "over 100: 2,500 × 0.25 = 625",
            "10% discount: −67.5",
        ]

    def test_shows_compute_and_storage(self):
        parts = sample.calls(compute=Decimal("1000"), storage=Decimal("322.85"))
        (line,) = lines(sample.draft(lines=[parts]))
        assert line["parts"] == "Compute 1,000.00 · Storage 322.85"

    def test_of_a_minimum_needs_no_explanation(self):
        minimum = sample.line(
            "Minimum of Calls",
            "50.00",
            kind="minimum",
            quantity="1",
            steps=[step("Minimum of Calls: 50", None, None, "50")],
        )
        (line,) = lines(sample.draft(lines=[minimum]))
        assert (line["name"], line["quantity"], line["unit_price"], line["amount"], line["steps"]) == (
            "Minimum of Calls",
            "",
            "",
            "50.00",
            [],
        )

    def test_that_costs_nothing_has_no_parts(self):
        free = sample.line("Calls", "0.00", quantity="10", compute=Decimal("0.00"), storage=Decimal("0.00"))
        assert lines(sample.draft(lines=[free]))[0]["parts"] == ""

    def test_that_lost_says_what_it_would_be(self):
        lost = sample.line("Reserved", "0.00", would_be=Decimal("9600.00"), group="reserved")
        won = sample.line("On demand", "9700.00", group="on-demand")
        (section,) = printed(sample.draft(lines=[lost, won]))["sections"]
        assert [(group["name"], group["is_chosen"]) for group in section["groups"]] == [
            ("reserved", False),
            ("on-demand", True),
        ]
        assert section["groups"][0]["lines"][0]["would_be"] == "would be 9,600.00"


class TestTotals:
    def test_are_only_the_total_due_without_discounts(self):
        found = printed(sample.draft(lines=[sample.calls()]))
        assert (found["totals"], found["total_due"]) == ([], "USD\u00a01,322.85")

    def test_show_each_discount(self):
        discounts = [
            {"name": "Launch", "percent": "10", "amount": "132.29"},
            {"name": "", "percent": "2.5", "amount": "29.76"},
        ]
        found = printed(sample.draft(lines=[sample.calls()], discounts=discounts))
        assert [(row["label"], row["amount"]) for row in found["totals"]] == [
            ("Subtotal", "1,322.85"),
            ("Launch (10 %)", "−132.29"),
            ("Discount (2.5 %)", "−29.76"),
        ]
        assert found["total_due"] == "USD\u00a01,160.80"


class TestPayment:
    def test_is_asked_for_by_the_due_date(self):
        found = printed(sample.finalized(sample.draft(lines=[sample.calls()])))
        assert found["closing"] == "Please pay USD\u00a01,322.85 by July 3, 2020, quoting INV-000001."

    def test_is_not_asked_for_where_nothing_is_due(self):
        buyer = sample.customer()
        free = sample.finalized(sample.draft(lines=[], buyer=buyer), "INV-1")
        void = sample.finalized(sample.draft(lines=[sample.calls()], buyer=buyer), "INV-2")
        sample.in_state(void, "VOID")
        draft = sample.draft(lines=[sample.calls()], buyer=buyer)
        assert [printed(one)["closing"] for one in (free, void, draft)] == [
            "",
            "This invoice is void. Nothing is due.",
            "Draft: amounts may still change. This is no invoice.",
        ]
