import csv as reading
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.exports import focus, invoices, month
from billing.invoicing import crediting
from tests.billing.exports import rated, sample
from tests.billing.exports.test_month import AT

pytestmark = pytest.mark.django_db

IN_MAY = sample.FINALIZED_AT.replace(month=5)
DISCOUNTED = rated.plan(discounts=[{"percent": "10", "name": "Launch"}], minimum="80")
VAT = {"name": "VAT 19 %", "percent": "19", "base": "75.03", "amount": "14.26", "note": ""}


def written(folder):
    writer = focus.writer(folder=folder, month=sample.MAY)
    for voucher in invoices.stream(month=sample.MAY):
        writer.add(voucher)
    return writer.finish()


def rows(folder, name):
    with (folder / "focus" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(reading.DictReader(file))


def credited(invoice, amount="5.00", at=IN_MAY):
    """A credit note of May on the first line."""
    amounts = {rated.lines(invoice)[0].pk: Decimal(amount)}
    return crediting.credit_lines(invoice=invoice, amounts=amounts, reason="An outage", at=at)


class TestCostAndUsage:
    def test_divides_a_line_over_the_days_of_its_usage(self, tmp_path):
        rated.finalized()
        written(tmp_path)
        found = [row for row in rows(tmp_path, "cost_and_usage") if row["x_Model"] == "m1"]
        # 12.50 over 600 and 900 of 1,500 units: 5.00 and 7.50.
        assert [
            (row["ChargePeriodStart"], row["ChargePeriodEnd"], row["PricingQuantity"], row["BilledCost"])
            for row in found
        ] == [
            ("2020-05-01T00:00:00Z", "2020-05-02T00:00:00Z", "600", "5.00"),
            ("2020-05-03T00:00:00Z", "2020-05-04T00:00:00Z", "900", "7.50"),
        ]

    def test_gives_the_cents_that_are_left_to_the_largest_remainders(self, tmp_path):
        rated.finalized(document=DISCOUNTED)
        written(tmp_path)
        found = rows(tmp_path, "cost_and_usage")
        # Discount of 10 % on 75.03: 7.50. By lines 12.50 : 0.03 : 22.50 : 40.00 of 75.03 exactly
        # 1.2495, 0.0030, 2.2491, 3.9984: cut 1.24, 0.00, 2.24, 3.99, and the three cents left to the
        # remainders 0.95, 0.91, 0.84 of a cent: 1.25, 0.00, 2.25, 4.00.
        by_line = {}
        for row in found:
            key = row["x_Component"] + row["x_Model"]
            by_line[key] = by_line.get(key, Decimal(0)) + Decimal(row["x_PlanDiscount"])
        assert {key: f"{amount}" for key, amount in by_line.items()} == {
            "tokensm1": "1.25",
            "tokensm2": "0.00",
            "gpu": "2.25",
            "seat": "4.00",
            "": "0.00",
        }
        # m2: 0.03 over three equal days, a cent each.
        assert [row["BilledCost"] for row in found if row["x_Model"] == "m2"] == ["0.01", "0.01", "0.01"]
        # gpu: 22.50 - 2.25 = 20.25 over 10/3 and 20/3 hours: 6.75 and 13.50.
        assert [row["BilledCost"] for row in found if row["x_Component"] == "gpu"] == ["6.75", "13.50"]

    def test_lists_the_price_of_a_unit_before_discounts(self, tmp_path):
        rated.finalized(usage=[("gpu_hours", "4", 4, {}), ("gpu_hours", "6", 5, {})])
        written(tmp_path)
        (first, second) = [row for row in rows(tmp_path, "cost_and_usage") if row["x_Component"] == "gpu"]
        names = (
            "ListUnitPrice",
            "ListCost",
            "ContractedCost",
            "BilledCost",
            "x_IsBlendedPrice",
            "SkuPriceId",
        )
        assert [first[name] for name in names] == ["2.5", "10.00", "10.00", "9.00", "false", "pro v3 gpu"]
        assert [second[name] for name in names][:4] == ["2.5", "15.00", "15.00", "13.50"]

    def test_blends_the_price_of_tiers(self, tmp_path):
        rated.finalized()
        written(tmp_path)
        row = next(row for row in rows(tmp_path, "cost_and_usage") if row["x_Model"] == "m1")
        # 5.00 for 600: not a price that anybody agreed, and marked so.
        assert (row["ListCost"], row["x_IsBlendedPrice"]) == ("5.00", "true")
        assert row["ListUnitPrice"] == "0.008333333333333333333333333333"

    def test_tells_purchases_taxes_and_what_is_sold(self, tmp_path):
        rated.finalized(taxes=[VAT])
        written(tmp_path)
        found = rows(tmp_path, "cost_and_usage")
        (seat,) = [row for row in found if row["x_Component"] == "seat"]
        names = ("ChargeCategory", "ChargeFrequency", "BilledCost", "PricingQuantity", "ListUnitPrice")
        assert [seat[name] for name in names] == ["Purchase", "Recurring", "40.00", "2", "20"]
        (tax,) = [row for row in found if row["ChargeCategory"] == "Tax"]
        assert (tax["BilledCost"], tax["ServiceCategory"], tax["SkuId"]) == ("14.26", "Other", "")
        assert {row["ServiceName"] for row in found if row is not tax} == {"Inference Pro"}

    def test_marks_what_a_credit_note_gives_back_as_a_correction(self, tmp_path):
        credited(rated.finalized())
        written(tmp_path)
        (row,) = [row for row in rows(tmp_path, "cost_and_usage") if row["ChargeClass"]]
        names = (
            "InvoiceId",
            "ChargeClass",
            "ChargeCategory",
            "BilledCost",
            "ChargePeriodStart",
            "PricingQuantity",
        )
        assert [row[name] for name in names] == [
            "CN-000001",
            "Correction",
            "Usage",
            "-5.00",
            "2020-05-01T00:00:00Z",
            "",
        ]
        (detail,) = [row for row in rows(tmp_path, "invoice_detail") if row["InvoiceId"] == "CN-000001"]
        assert (detail["ReferenceInvoiceId"], detail["BilledCost"]) == ("INV-000001", "-5.00")

    def test_marks_an_adjustment_of_an_earlier_period(self, tmp_path):
        april = {"start_at": datetime(2020, 4, 1, tzinfo=UTC), "end_at": sample.START}
        draft = sample.draft(lines=[sample.calls()])
        late = sample.line(
            "Model calls", "-2.50", kind="adjustment", adjusts="usage", note="April, late events"
        )
        sample.add_period(draft, lines=[late], **april)
        sample.finalized(draft)
        written(tmp_path)
        (row,) = [row for row in rows(tmp_path, "cost_and_usage") if row["ChargeClass"]]
        names = ("ChargeClass", "ChargeCategory", "ChargePeriodStart", "ChargePeriodEnd", "BilledCost")
        assert [row[name] for name in names] == [
            "Correction",
            "Usage",
            "2020-04-01T00:00:00Z",
            "2020-05-01T00:00:00Z",
            "-2.50",
        ]

    def test_keeps_usage_whole_where_its_days_are_not_known(self, tmp_path):
        sample.finalized(sample.draft(lines=[sample.calls()]))
        written(tmp_path)
        (row,) = rows(tmp_path, "cost_and_usage")
        assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (
            "2020-05-01T00:00:00Z",
            "2020-06-01T00:00:00Z",
        )
        assert (row["PricingQuantity"], row["ListUnitPrice"], row["BilledCost"]) == (
            "8819",
            "0.15",
            "1322.85",
        )


class TestInvoiceDetail:
    def test_has_a_row_a_line_that_its_charges_add_up_to(self, tmp_path):
        invoice = rated.finalized(document=DISCOUNTED)
        written(tmp_path)
        details = {row["InvoiceDetailId"]: row for row in rows(tmp_path, "invoice_detail")}
        sums = {}
        for row in rows(tmp_path, "cost_and_usage"):
            key = row["InvoiceDetailId"]
            sums[key] = sums.get(key, Decimal(0)) + Decimal(row["BilledCost"])
        assert sums == {key: Decimal(row["BilledCost"]) for key, row in details.items()}
        amounts = [Decimal(row["x_LineAmount"]) for row in details.values()]
        assert amounts == [line.amount for line in rated.lines(invoice)]
        assert sum(sums.values()) == invoice.total == Decimal("80.00")

    def test_names_a_void_invoice(self, tmp_path):
        sample.in_state(rated.finalized(), "VOID")
        written(tmp_path)
        (row,) = rows(tmp_path, "invoice_detail")
        assert (row["InvoiceIssueStatus"], row["BilledCost"]) == ("Voided", "0.00")
        assert rows(tmp_path, "cost_and_usage") == []


class TestBillingPeriod:
    def test_is_open_while_a_draft_is_left(self, tmp_path):
        rated.finalized()
        written(tmp_path)
        (row,) = rows(tmp_path, "billing_period")
        assert (row["BillingPeriodStatus"], row["x_Totals"]) == ("Closed", '{"USD":"75.03"}')
        rated.draft(buyer=sample.customer("other"))
        written(tmp_path)
        assert rows(tmp_path, "billing_period")[0]["BillingPeriodStatus"] == "Open"


class TestSpecification:
    @pytest.fixture
    def folder(self, tmp_path):
        evil = sample.customer("=cmd", name='北京, "智算"\n😀 =1+1', currency="USD")
        credited(rated.finalized(document=DISCOUNTED))
        rated.finalized("INV-000002", buyer=evil, taxes=[VAT])
        yen = sample.customer("yen", currency="JPY")
        sample.finalized(sample.draft(lines=[sample.calls(amount="1200")], buyer=yen), "INV-000003")
        month.write(month=sample.MAY, formats=["focus"], folder=tmp_path, at=AT)
        return tmp_path / "focus"

    @pytest.mark.parametrize("dataset", ["cost-and-usage", "invoice-detail", "billing-period"])
    def test_is_kept_by_each_file(self, folder, dataset):
        path = folder / f"{dataset.replace('-', '_')}.csv"
        toolkit("validate", path, "--dataset", dataset, "--supports", "SupportsUnitPricing")

    def test_is_kept_by_the_files_together(self, folder):
        said = toolkit("validate-bundle", "--directory", folder)
        assert "validated: Billing Period, Cost and Usage, Invoice Detail" in said


def toolkit(*arguments):
    command = [sys.executable, "-m", "focus_data_toolkit", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
