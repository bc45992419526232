import csv as reading
from decimal import Decimal

import pytest

from billing.exports import csv, invoices
from billing.exports.csv import guard, unguard
from tests.billing.exports import sample


def written(folder, month=sample.MAY):
    writer = csv.writer(folder=folder, month=month)
    for invoice in invoices.stream(month=month):
        writer.add(invoice)
    return writer.finish()


def rows(folder, name):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(reading.DictReader(file))


@pytest.mark.django_db
class TestInvoices:
    def test_are_one_row_each(self, tmp_path):
        buyer = sample.customer(name='Acme, "Research"\nLab', tax_id="US 12", timezone="UTC")
        discounts = [{"name": "Launch", "percent": "10", "amount": "132.29"}]
        sample.finalized(sample.draft(lines=[sample.calls()], discounts=discounts, buyer=buyer))
        written(tmp_path)
        assert rows(tmp_path, "invoices.csv") == [
            {
                "invoice": "INV-000001",
                "kind": "invoice",
                "corrects": "",
                "state": "FINALIZED",
                "finalized_at": "2020-06-03T09:30:00Z",
                "due_date": "2020-07-03",
                "period_start": "2020-05-01T00:00:00Z",
                "period_end": "2020-06-01T00:00:00Z",
                "customer": "acme",
                "customer_name": 'Acme, "Research"\nLab',
                "customer_legal_name": "",
                "customer_tax_id": "US 12",
                "currency": "USD",
                "subtotal": "1322.85",
                "discount_total": "132.29",
                "tax_total": "0.00",
                "total": "1190.56",
                "void_total": "",
                "lines": "2",
            }
        ]

    def test_that_are_void_charge_nothing(self, tmp_path):
        sample.in_state(sample.finalized(sample.draft(lines=[sample.calls()])), "VOID")
        files = written(tmp_path)
        (row,) = rows(tmp_path, "invoices.csv")
        sums = [row[name] for name in ("state", "subtotal", "discount_total", "total", "void_total", "lines")]
        assert sums == ["VOID", "0.00", "0.00", "0.00", "1322.85", "0"]
        assert rows(tmp_path, "lines.csv") == []
        assert {file.path: f"{file.totals.get('USD')}" for file in files} == {
            "invoices.csv": "0.00",
            "lines.csv": "None",
        }

    def test_that_are_paid_are_written_as_before(self, tmp_path):
        one = sample.finalized(sample.draft(lines=[sample.calls()]))
        written(tmp_path)
        before = (tmp_path / "invoices.csv").read_bytes()
        sample.in_state(one, "PAID")
        written(tmp_path)
        assert (tmp_path / "invoices.csv").read_bytes() == before


@pytest.mark.django_db
class TestLines:
    def test_show_quantities_exactly_and_every_part(self, tmp_path):
        hours = sample.line(
            "GPU-hours",
            "34.67",
            component="gpu",
            group="on-demand",
            mode="RESOURCE",
            quantity="26.6666666667",
            quantity_exact="80/3",
            unit="GPU-hour",
            unrounded="34.6666666667",
            unrounded_exact="104/3",
            compute=Decimal("30.00"),
            storage=Decimal("4.67"),
            dimensions={"tier": "spot", "gpu": "H100"},
            note="as used",
        )
        sample.finalized(sample.draft(lines=[hours]))
        written(tmp_path)
        assert rows(tmp_path, "lines.csv") == [
            {
                "invoice": "INV-000001",
                "customer": "acme",
                "subscription": "sub-1",
                "period_start": "2020-05-01T00:00:00Z",
                "period_end": "2020-06-01T00:00:00Z",
                "timezone": "UTC",
                "part": "ARREARS",
                "position": "1",
                "kind": "usage",
                "adjusts": "",
                "group": "on-demand",
                "component": "gpu",
                "name": "GPU-hours",
                "mode": "RESOURCE",
                "timing": "IN_ARREARS",
                "dimensions": '{"gpu":"H100","tier":"spot"}',
                "quantity": "26.6666666667",
                "quantity_exact": "80/3",
                "unit": "GPU-hour",
                "currency": "USD",
                "amount": "34.67",
                "unrounded": "34.6666666667",
                "unrounded_exact": "104/3",
                "compute": "30.00",
                "storage": "4.67",
                "would_be": "",
                "note": "as used",
            }
        ]

    def test_add_up_to_the_total_with_discounts_as_rows(self, tmp_path):
        discounts = [
            {"name": "Launch", "percent": "10", "amount": "0.03"},
            {"name": "Loyal", "percent": "5", "amount": "0.01"},
        ]
        sample.finalized(
            sample.draft(
                lines=[sample.calls(amount="0.10"), sample.calls(amount="0.20")], discounts=discounts
            )
        )
        files = written(tmp_path)
        found = [
            (row["position"], row["kind"], row["name"], row["amount"], row["note"])
            for row in rows(tmp_path, "lines.csv")
        ]
        assert found == [
            ("1", "usage", "Model calls", "0.10", ""),
            ("2", "usage", "Model calls", "0.20", ""),
            ("3", "plan_discount", "Launch", "-0.03", "10 %"),
            ("4", "plan_discount", "Loyal", "-0.01", "5 %"),
        ]
        assert [(file.path, file.rows, f"{file.totals['USD']}") for file in files] == [
            ("invoices.csv", 1, "0.26"),
            ("lines.csv", 4, "0.26"),
        ]

    def test_write_numbers_without_exponent(self, tmp_path):
        tiny = sample.line("Tokens", "0.00", quantity="0.0000001", unrounded="0.0000000000001")
        huge = sample.line("Tokens", "0.00", quantity="100000000000000000000")
        sample.finalized(sample.draft(lines=[tiny, huge]))
        written(tmp_path)
        found = [(row["quantity"], row["unrounded"]) for row in rows(tmp_path, "lines.csv")]
        assert found == [("0.0000001", "0.0000000000001"), ("100000000000000000000", "0.00")]

    def test_keep_the_digits_of_their_currency(self, tmp_path):
        for number, (currency, amount) in enumerate((("JPY", "1200"), ("KWD", "1.5"), ("USD", "3"))):
            buyer = sample.customer(currency, currency=currency)
            sample.finalized(sample.draft(lines=[sample.calls(amount=amount)], buyer=buyer), f"INV-{number}")
        written(tmp_path)
        assert [row["amount"] for row in rows(tmp_path, "lines.csv")] == ["1200", "1.500", "3.00"]


@pytest.mark.django_db
class TestFiles:
    def test_are_utf8_with_crlf_and_no_mark(self, tmp_path):
        sample.finalized(sample.draft(lines=[], buyer=sample.customer(name="北京智算云科技有限公司 😀")))
        written(tmp_path)
        content = (tmp_path / "invoices.csv").read_bytes()
        assert content.startswith(b"invoice,kind,")
        assert content.count(b"\r\n") == content.count(b"\n") == 2
        assert "北京智算云科技有限公司 😀" in content.decode("utf-8")

    def test_of_an_empty_month_have_their_headers(self, tmp_path):
        written(tmp_path)
        assert (tmp_path / "lines.csv").read_text().startswith("invoice,customer,subscription,")
        assert rows(tmp_path, "lines.csv") == rows(tmp_path, "invoices.csv") == []

    def test_hold_no_formula_that_a_name_brought(self, tmp_path):
        evil = '=HYPERLINK("http://x","pay")'
        lines = [sample.line("+1+1", "-5.00", quantity="-2", dimensions={"a": "=1"}, note="@SUM(A1)")]
        sample.finalized(sample.draft(lines=lines, buyer=sample.customer(name=evil, tax_id="\t=1")))
        written(tmp_path)
        (invoice,), (line,) = rows(tmp_path, "invoices.csv"), rows(tmp_path, "lines.csv")
        assert invoice["customer_name"] == f"'{evil}"
        assert invoice["customer_tax_id"] == "'\t=1"
        assert (line["name"], line["note"]) == ("'+1+1", "'@SUM(A1)")
        assert (line["amount"], line["quantity"]) == ("-5.00", "-2")
        for row in (invoice, line):
            assert not [cell for cell in row.values() if cell.startswith(("=", "+", "@", "\t", "\r"))]


class TestGuard:
    @pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "'=1", "'"])
    def test_makes_text_of_what_a_spreadsheet_would_run(self, text):
        assert guard(text) == "'" + text
        assert unguard(guard(text)) == text

    @pytest.mark.parametrize("text", ["", "Acme", "1-2", "a=b", "北京"])
    def test_leaves_other_text_alone(self, text):
        assert guard(text) == text
        assert unguard(text) == text


@pytest.mark.django_db
class TestTally:
    def test_counts_what_was_written(self, tmp_path):
        discounts = [{"name": "Launch", "percent": "10", "amount": "0.03"}]
        two = [sample.calls(amount="0.10"), sample.calls(amount="0.20")]
        sample.finalized(sample.draft(lines=two, discounts=discounts))
        files = written(tmp_path)
        assert [csv.tally(folder=tmp_path, path=file.path) for file in files] == files

    @pytest.mark.parametrize("content", ["invoice,currency\r\n1,USD\r\n", "currency,total\r\nUSD,ten\r\n"])
    def test_refuses_a_file_without_amounts(self, tmp_path, content):
        (tmp_path / "invoices.csv").write_text(content)
        with pytest.raises(ValueError, match=r"row 1 of invoices\.csv has no currency or amount"):
            csv.tally(folder=tmp_path, path="invoices.csv")
