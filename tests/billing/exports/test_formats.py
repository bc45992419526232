"""What every format of a table must keep: totals, names, numbers, and spreadsheets that run nothing."""

import io
import json
import zipfile
from datetime import date
from decimal import Decimal

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pypdf
import pytest

from billing.exports import formats, journal, jsonl, month, verification, xlsx
from billing.exports import zip as archive
from billing.exports.csv import unguard
from billing.exports.journal import TransactionUnbalanced
from billing.exports.vouchers import Voucher
from billing.models import Invoice
from tests.billing.exports import rated, sample
from tests.billing.exports.test_focus import DISCOUNTED, VAT, credited
from tests.billing.exports.test_month import AT

pytestmark = pytest.mark.django_db

EVIL = '=HYPERLINK("http://x","pay"), 北京智算\n😀 ©\u2028'


@pytest.fixture
def folder(tmp_path):
    """Two currencies, a discount, a tax, a credit note, a void invoice, and a name to stumble over."""
    evil = sample.customer("evil", name=EVIL)
    credited(rated.finalized(document=DISCOUNTED))
    rated.finalized("INV-000002", buyer=evil, taxes=[VAT])
    yen = sample.customer("yen", currency="JPY")
    sample.finalized(sample.draft(lines=[sample.calls(amount="1200")], buyer=yen), "INV-000003")
    void = sample.draft(lines=[sample.calls(amount="7.00")], buyer=evil)
    sample.in_state(sample.finalized(void, "INV-000004"), "VOID")
    month.write(month=sample.MAY, formats=[], folder=tmp_path, at=AT)
    return tmp_path


# 75.03 less 10 % is 67.53, raised to the minimum of 80.00; 75.03 + 14.26 tax; less 5.00 given back.
TOTALS = {"USD": Decimal("164.29"), "JPY": Decimal("1200")}


def sheet(path):
    rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


class TestEveryFormat:
    def test_carries_the_totals_of_the_month(self, folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["totals"] == {"JPY": "1200", "USD": "164.29"}
        assert (manifest["invoices"], manifest["void"], manifest["credit_notes"]) == (3, 1, 1)
        assert {entry["format"] for entry in manifest["files"]} == set(formats.ALL)
        tables = [entry for entry in manifest["files"] if entry["format"] != "pdf"]
        assert [entry["file"] for entry in tables if entry["totals"] != manifest["totals"]] == []
        assert verification.differences(folder=folder) == []

    def test_counts_again_what_it_wrote(self, folder):
        manifest = json.loads((folder / "manifest.json").read_text())
        for entry in manifest["files"]:
            counted = formats.ALL[entry["format"]].tally(folder=folder, path=entry["file"])
            assert (counted is None) == (entry["format"] in ("pdf", "zip"))
            if counted:
                assert counted.rows == entry["rows"]
                assert {key: sum for key, sum in counted.totals.items() if sum} == TOTALS

    @pytest.mark.parametrize("name", ["csv", "xlsx", "jsonl", "parquet", "focus", "journal"])
    def test_refuses_to_count_a_file_that_it_did_not_write(self, tmp_path, name):
        (tmp_path / "notes.txt").write_text("a,b\n1,2\n")
        with pytest.raises(ValueError, match=r"notes\.txt"):
            formats.ALL[name].tally(folder=tmp_path, path="notes.txt")


class TestDuckDB:
    @pytest.mark.parametrize(
        ("source", "amount"),
        [
            ("read_csv('invoices.csv', types={'total': 'DECIMAL(38,6)'})", "total"),
            ("read_csv('lines.csv', types={'amount': 'DECIMAL(38,6)'})", "amount"),
            (
                "read_json('invoices.jsonl', columns={'currency': 'VARCHAR', 'total': 'DECIMAL(38,6)'})",
                "total",
            ),
            ("read_parquet('lines.parquet')", "amount"),
            ("read_parquet('usage.parquet')", "amount"),
            (
                "(select BillingCurrency as currency, BilledCost from read_csv('focus/cost_and_usage.csv',"
                " types={'BilledCost': 'DECIMAL(38,6)'}))",
                "BilledCost",
            ),
        ],
    )
    def test_adds_up_to_the_invoices(self, folder, monkeypatch, source, amount):
        monkeypatch.chdir(folder)
        found = duckdb.sql(f"select currency, sum({amount}) from {source} group by 1").fetchall()
        assert {currency: total for currency, total in found if total} == TOTALS
        owed = {row.currency: Decimal(0) for row in Invoice.objects.all()}
        for invoice in Invoice.objects.exclude(state="VOID"):
            owed[invoice.currency] += invoice.total
        assert {**owed, "USD": owed["USD"] - 5} == TOTALS


class TestNames:
    def test_survive_every_table(self, folder, monkeypatch):
        monkeypatch.chdir(folder)
        csv_names = duckdb.sql("select customer_name from read_csv('invoices.csv')").fetchall()
        assert EVIL in {unguard(name) for (name,) in csv_names}
        assert EVIL in {row["customer_name"] for row in sheet(folder / "invoices.xlsx")}
        vouchers = [json.loads(text) for text in (folder / "invoices.jsonl").read_text().split("\n") if text]
        assert EVIL in {voucher["customer"]["name"] for voucher in vouchers}
        lines = {
            line["name"] for each in vouchers for part in each["service_periods"] for line in part["lines"]
        }
        assert rated.NAME in lines
        for name in ("lines.parquet", "usage.parquet"):
            assert rated.NAME in pq.read_table(folder / name)["name"].to_pylist()
        journal_names = duckdb.sql("select customer_name from read_csv('journal.csv')").fetchall()
        assert EVIL in {unguard(name) for (name,) in journal_names}
        descriptions = duckdb.sql(
            "select ChargeDescription from read_csv('focus/cost_and_usage.csv')"
        ).fetchall()
        assert f"{rated.NAME} (model: m1)" in {text for (text,) in descriptions}


class TestXlsx:
    def test_holds_text_numbers_and_dates_and_no_formula(self, folder):
        book = openpyxl.load_workbook(folder / "invoices.xlsx")
        cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} == {"s", "n", "d"}
        row = next(row for row in sheet(folder / "invoices.xlsx") if row["customer"] == "evil")
        assert row["customer_name"] == EVIL
        assert (row["total"], row["due_date"].date()) == (89.29, date(2020, 7, 3))
        assert [cell.hyperlink for cell in cells if cell.hyperlink] == []

    def test_writes_a_number_that_excel_would_round_as_text(self, tmp_path):
        exact = "1234567.123456789012"
        line = sample.line("Tokens", "0.10", quantity=exact, unrounded="0.1")
        sample.finalized(sample.draft(lines=[line]))
        month.write(month=sample.MAY, formats=["xlsx"], folder=tmp_path, at=AT)
        (row,) = sheet(tmp_path / "lines.xlsx")
        assert (row["quantity"], row["amount"]) == (exact, 0.1)

    def test_goes_on_on_another_sheet_when_one_is_full(self, tmp_path, monkeypatch):
        monkeypatch.setattr(xlsx, "ROWS_MAX", 2)
        sample.finalized(sample.draft(lines=[sample.calls(amount=f"0.0{n}") for n in range(1, 6)]))
        made = month.write(month=sample.MAY, formats=["xlsx"], folder=tmp_path, at=AT)
        book = openpyxl.load_workbook(tmp_path / "lines.xlsx")
        assert [each.title for each in book.worksheets] == ["lines", "lines 2", "lines 3"]
        assert [each.max_row for each in book.worksheets] == [3, 3, 2]
        entry = next(entry for entry in made.manifest["files"] if entry["file"] == "lines.xlsx")
        assert xlsx.tally(folder=tmp_path, path="lines.xlsx").rows == entry["rows"] == 5

    @pytest.mark.parametrize("text", ["a" * 32_767, "😀" * 16_383])
    def test_keeps_a_text_that_fits(self, text):
        assert xlsx.fitting(text) == text

    def test_cuts_a_text_that_no_cell_holds_and_says_so(self):
        assert xlsx.fitting("a" * 40_000) == "a" * 32_766 + "…"
        assert xlsx.fitting("a" + "😀" * 20_000) == "a" + "😀" * 16_382 + "…"


class TestJsonLines:
    def test_hold_lines_with_their_steps(self, folder):
        first, *_ = (folder / "invoices.jsonl").read_text(encoding="utf-8").split("\n")
        voucher = json.loads(first)
        (period,) = voucher["service_periods"]
        assert (voucher["invoice"], voucher["total"], period["period_start"]) == (
            "INV-000001",
            "80.00",
            "2020-05-01T00:00:00Z",
        )
        line = period["lines"][0]
        assert (line["amount"], line["quantity"], line["dimensions"]) == ("12.50", "1500", {"model": "m1"})
        assert [step["amount"] for step in line["steps"]] == ["10", "2.5"]
        assert [line["kind"] for line in period["lines"]][-2:] == ["plan_minimum", "plan_discount"]

    def test_are_one_line_each_for_readers_of_all_kinds(self, folder):
        content = (folder / "invoices.jsonl").read_text(encoding="utf-8")
        assert len(content.splitlines()) == len(content.split("\n")) - 1 == 5

    def test_name_what_a_credit_note_corrects_and_why(self, folder):
        *_, last = (folder / "invoices.jsonl").read_text(encoding="utf-8").splitlines()
        voucher = json.loads(last)
        assert [voucher[name] for name in ("kind", "invoice", "corrects", "total", "reason")] == [
            "credit_note",
            "CN-000001",
            "INV-000001",
            "-5.00",
            "An outage",
        ]

    def test_hold_taxes_beside_the_service_periods(self):
        invoice = rated.finalized(taxes=[VAT])
        answer = jsonl.of(Voucher(invoice))
        assert [(line["kind"], line["amount"]) for line in answer["lines"]] == [("tax", "14.26")]
        assert answer["taxes"] == [VAT]


class TestParquet:
    def test_has_typed_columns(self, folder):
        schema = pq.read_schema(folder / "usage.parquet")
        types = {
            name: str(schema.field(name).type) for name in ("day", "start", "quantity", "amount", "name")
        }
        assert types == {
            "day": "date32[day]",
            "start": "timestamp[us, tz=UTC]",
            "quantity": "decimal128(38, 18)",
            "amount": "decimal128(38, 18)",
            "name": "string",
        }

    def test_has_usage_by_day(self, folder):
        rows = pq.read_table(folder / "usage.parquet").to_pylist()
        gpu = [row for row in rows if row["component"] == "gpu" and row["invoice"] == "INV-000002"]
        assert [(row["day"], row["meter"], row["amount"]) for row in gpu] == [
            (date(2020, 5, 4), "gpu_hours", Decimal("7.50")),
            (date(2020, 5, 5), "gpu_hours", Decimal("15.00")),
        ]
        # 10/3 and 20/3 do not end: 18 places, and exactly in lines.parquet.
        assert [row["quantity"] for row in gpu] == [
            Decimal("3.333333333333333333"),
            Decimal("6.666666666666666667"),
        ]

    def test_is_written_in_groups(self, tmp_path, monkeypatch):
        monkeypatch.setattr("billing.exports.parquet.ROWS_A_GROUP", 2)
        sample.finalized(sample.draft(lines=[sample.calls(amount=f"0.0{n}") for n in range(1, 6)]))
        month.write(month=sample.MAY, formats=["parquet"], folder=tmp_path, at=AT)
        file = pq.ParquetFile(tmp_path / "lines.parquet")
        assert (file.num_row_groups, file.metadata.num_rows) == (3, 5)


def of(legs, wanted):
    return {(account, f"{amount}") for transaction, account, amount in legs if transaction == wanted}


class TestJournal:
    def test_balances_every_transaction(self, folder, monkeypatch):
        monkeypatch.chdir(folder)
        legs = duckdb.sql(
            "select transaction, account, amount"
            " from read_csv('journal.csv', types={'amount': 'DECIMAL(18,2)'}) order by all"
        ).fetchall()
        sums = {}
        for transaction, _account, amount in legs:
            sums[transaction] = sums.get(transaction, 0) + amount
        assert set(sums.values()) == {0}
        assert {
            (account, f"{amount}") for transaction, account, amount in legs if transaction == "INV-000002"
        } == {
            ("receivable", "89.29"),
            ("revenue:usage", "-35.03"),
            ("revenue:fixed", "-40.00"),
            ("tax:VAT 19 %", "-14.26"),
        }
        assert {
            (account, f"{amount}") for transaction, account, amount in legs if transaction == "INV-000001"
        } == {
            ("receivable", "80.00"),
            ("revenue:usage", "-35.03"),
            ("revenue:fixed", "-52.47"),  # the seats, and what the plan's minimum adds
            ("discounts", "7.50"),
        }
        assert {
            (account, f"{amount}") for transaction, account, amount in legs if transaction == "CN-000001"
        } == {
            ("receivable", "-5.00"),
            ("revenue:usage", "5.00"),
        }

    def test_leaves_void_invoices_out(self, folder):
        assert "INV-000004" not in (folder / "journal.csv").read_text()

    def test_refuses_an_invoice_whose_lines_do_not_add_up(self):
        invoice = sample.finalized(sample.draft(lines=[sample.calls(amount="5.00")]))
        invoice.total = Decimal("5.01")
        with pytest.raises(
            TransactionUnbalanced, match=r"lines of INV-000001 differ from its total by 0\.01"
        ):
            journal.legs(Voucher(invoice))


class TestZip:
    def test_holds_the_same_pdfs_as_the_folder(self, folder):
        with zipfile.ZipFile(folder / archive.PATH) as opened:
            assert opened.testzip() is None
            names = opened.namelist()
            assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert names == [*(f"INV-00000{n}.pdf" for n in range(1, 5)), "CN-000001.pdf"]
            assert [name for name in names if opened.read(name) != (folder / "pdf" / name).read_bytes()] == []
            pypdf.PdfReader(io.BytesIO(opened.read(names[0])))
