import hashlib
import json
from datetime import UTC, date, datetime

import pytest

from billing.exports import folder as folders
from billing.exports import formats, month, pdf
from billing.models import Export, Invoice, InvoiceLine
from tests.billing.exports import sample

pytestmark = pytest.mark.django_db
AT = datetime(2020, 6, 15, 12, tzinfo=UTC)
TABLES = [
    "invoices.csv",
    "lines.csv",
    "invoices.xlsx",
    "lines.xlsx",
    "invoices.jsonl",
    "lines.parquet",
    "usage.parquet",
    "focus/cost_and_usage.csv",
    "focus/invoice_detail.csv",
    "focus/billing_period.csv",
    "journal.csv",
]
PDFS = ["pdf/INV-000001.pdf", "pdf/INV-000002.pdf"]


def two_invoices():
    discounts = [{"name": "Launch", "percent": "10", "amount": "132.29"}]
    sample.finalized(sample.draft(lines=[sample.calls()], discounts=discounts), "INV-000001")
    yen = sample.customer("zhisuan", name="北京智算", currency="JPY")
    sample.finalized(sample.draft(lines=[sample.calls(amount="1200")], buyer=yen), "INV-000002")


def export(folder, names=(), at=AT, **options):
    return month.write(month=sample.MAY, formats=names, folder=folder, at=at, **options)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestWrite:
    def test_writes_every_format_and_a_manifest(self, tmp_path):
        two_invoices()
        made = export(tmp_path / "may", by="finance")
        files = contents(tmp_path / "may")
        assert sorted(files) == sorted([*TABLES, "invoices.zip", "manifest.json", *PDFS])
        manifest = json.loads(files["manifest.json"])
        assert {key: manifest[key] for key in ("version", "month", "invoices", "void", "totals")} == {
            "version": 1,
            "month": "2020-05",
            "invoices": 2,
            "void": 0,
            "totals": {"JPY": "1200", "USD": "1190.56"},
        }
        assert [(entry["file"], entry["rows"], entry["totals"]) for entry in manifest["files"]] == [
            ("invoices.csv", 2, {"JPY": "1200", "USD": "1190.56"}),
            ("lines.csv", 3, {"JPY": "1200", "USD": "1190.56"}),
            ("invoices.xlsx", 2, {"JPY": "1200", "USD": "1190.56"}),
            ("lines.xlsx", 3, {"JPY": "1200", "USD": "1190.56"}),
            ("invoices.jsonl", 2, {"JPY": "1200", "USD": "1190.56"}),
            ("lines.parquet", 3, {"JPY": "1200", "USD": "1190.56"}),
            ("usage.parquet", 2, {"JPY": "1200", "USD": "1190.56"}),
            ("focus/cost_and_usage.csv", 2, {"JPY": "1200", "USD": "1190.56"}),
            ("focus/invoice_detail.csv", 2, {"JPY": "1200", "USD": "1190.56"}),
            ("focus/billing_period.csv", 1, {"JPY": "1200", "USD": "1190.56"}),
            ("journal.csv", 5, {"JPY": "1200", "USD": "1190.56"}),
            ("pdf/INV-000001.pdf", 1, {"USD": "1190.56"}),
            ("pdf/INV-000002.pdf", 1, {"JPY": "1200"}),
            ("invoices.zip", 2, {"JPY": "1200", "USD": "1190.56"}),
        ]
        for entry in manifest["files"]:
            content = files[entry["file"]]
            assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert Export.objects.get() == made
        assert (made.month, made.made_at, made.made_by) == (sample.MAY, AT, "finance")
        assert (made.folder, made.manifest) == (str(tmp_path / "may"), manifest)

    def test_carries_the_totals_of_the_database(self, tmp_path):
        two_invoices()
        made = export(tmp_path, ["csv"])
        usd = Invoice.objects.get(currency="USD")
        lines = InvoiceLine.objects.filter(service_period__invoice=usd)
        assert made.manifest["totals"]["USD"] == f"{sum(line.amount for line in lines) - usd.discount_total}"
        assert made.manifest["totals"]["USD"] == f"{usd.total}"

    def test_gives_the_same_bytes_again(self, tmp_path):
        two_invoices()
        export(tmp_path / "a")
        export(tmp_path / "b", at=datetime(2026, 1, 1, tzinfo=UTC), by="somebody else")
        export(tmp_path / "b")
        assert contents(tmp_path / "a") == contents(tmp_path / "b")
        assert Export.objects.count() == 3

    def test_keeps_to_the_formats_asked_for(self, tmp_path):
        two_invoices()
        export(tmp_path, ["pdf"])
        assert sorted(contents(tmp_path)) == ["manifest.json", "pdf/INV-000001.pdf", "pdf/INV-000002.pdf"]

    def test_removes_what_the_export_before_had_more(self, tmp_path):
        two_invoices()
        (tmp_path / "notes.txt").write_text("mine")
        export(tmp_path)
        export(tmp_path, ["csv"])
        assert sorted(contents(tmp_path)) == ["invoices.csv", "lines.csv", "manifest.json", "notes.txt"]

    def test_refuses_an_unknown_format_and_names_the_known(self, tmp_path):
        with pytest.raises(
            formats.FormatUnknown, match="unknown format 'xls'; the formats are csv, xlsx, jsonl"
        ):
            export(tmp_path / "may", ["csv", "xls"])
        assert not (tmp_path / "may").exists()

    def test_of_an_empty_month_writes_empty_tables(self, tmp_path):
        made = export(tmp_path)
        assert (made.manifest["invoices"], made.manifest["totals"]) == (0, {})
        assert [(entry["file"], entry["rows"]) for entry in made.manifest["files"]] == [
            *((name, 0) for name in TABLES),
            ("invoices.zip", 0),
        ]

    def test_counts_void_invoices_apart(self, tmp_path):
        sample.in_state(sample.finalized(sample.draft(lines=[sample.calls()])), "VOID")
        made = export(tmp_path)
        assert (made.manifest["invoices"], made.manifest["void"]) == (0, 1)
        assert sorted(contents(tmp_path)) == sorted(
            [*TABLES, "invoices.zip", "manifest.json", "pdf/INV-000001.pdf"]
        )

    def test_tells_its_progress(self, tmp_path):
        two_invoices()
        told = []
        export(tmp_path, ["csv"], progress=lambda done, expected: told.append((done, expected)))
        assert told == [(1, 2), (2, 2)]


class TestInterruption:
    def test_leaves_no_file_under_its_name(self, tmp_path, monkeypatch):
        two_invoices()
        self.break_second_pdf(monkeypatch)
        with pytest.raises(RuntimeError):
            export(tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert not Export.objects.exists()

    def test_leaves_the_export_before_as_it_was(self, tmp_path, monkeypatch):
        two_invoices()
        export(tmp_path)
        before = contents(tmp_path)
        self.break_second_pdf(monkeypatch)
        with pytest.raises(RuntimeError):
            export(tmp_path)
        assert contents(tmp_path) == before

    def test_while_files_are_moved_is_made_good_by_the_next(self, tmp_path, monkeypatch):
        two_invoices()
        moved = []

        def replace(source, target):
            if len(moved) == 2:
                raise KeyboardInterrupt
            moved.append(target)
            source.rename(target)

        with monkeypatch.context() as patched:
            patched.setattr(folders.os, "replace", replace)
            with pytest.raises(KeyboardInterrupt):
                export(tmp_path / "may")
        assert not (tmp_path / "may" / "manifest.json").exists()
        export(tmp_path / "may")
        export(tmp_path / "clean")
        assert contents(tmp_path / "may") == contents(tmp_path / "clean")

    def test_by_a_kill_leaves_nothing_that_the_next_export_keeps(self, tmp_path):
        two_invoices()
        (tmp_path / ".partial" / "pdf").mkdir(parents=True)
        (tmp_path / ".partial" / "pdf" / "INV-000009.pdf").write_bytes(b"%PDF-half")
        (tmp_path / ".partial" / "lines.csv").write_text("invoice,cust")
        export(tmp_path, ["csv"])
        assert sorted(contents(tmp_path)) == ["invoices.csv", "lines.csv", "manifest.json"]

    def break_second_pdf(self, monkeypatch):
        original = pdf.document.of

        def of(voucher, **options):
            if voucher.number == "INV-000002":
                raise RuntimeError("no paper")
            return original(voucher, **options)

        monkeypatch.setattr(pdf.document, "of", of)


class TestFolder:
    def test_of_another_month_is_refused(self, tmp_path):
        export(tmp_path, ["csv"])
        with pytest.raises(
            folders.FolderUnusable, match="holds the export of 2020-05; give 2020-06 a folder"
        ):
            month.write(month=date(2020, 6, 1), formats=["csv"], folder=tmp_path, at=AT)

    def test_with_a_file_of_somebody_else_is_refused(self, tmp_path):
        (tmp_path / "lines.csv").write_text("mine")
        with pytest.raises(folders.FolderUnusable, match=r"lines\.csv was not written by an export"):
            export(tmp_path, ["csv"])
        assert (tmp_path / "lines.csv").read_text() == "mine"
        assert not (tmp_path / "invoices.csv").exists()

    def test_with_a_file_of_somebody_else_is_refused_a_second_time_too(self, tmp_path):
        (tmp_path / "lines.csv").write_text("mine")
        for _ in range(2):
            with pytest.raises(folders.FolderUnusable):
                export(tmp_path, ["csv"])
        assert (tmp_path / "lines.csv").read_text() == "mine"

    def test_that_is_a_file_is_refused(self, tmp_path):
        (tmp_path / "may").write_text("")
        with pytest.raises(folders.FolderUnusable, match="cannot be written to"):
            export(tmp_path / "may", ["csv"])

    def test_is_taken_by_one_export_at_a_time(self, tmp_path):
        with folders.staging(folder=tmp_path, month="2020-05"):
            with pytest.raises(folders.FolderUnusable, match="another export"):
                export(tmp_path, ["csv"])
        export(tmp_path, ["csv"])


class TestParse:
    def test_reads_a_month(self):
        assert month.parse("2020-05") == date(2020, 5, 1)

    @pytest.mark.parametrize(
        "text", ["2020-13", "2020-5", "May 2020", "", "2020-05-01", "0000-01", "２０２０-05"]
    )
    def test_refuses_anything_else(self, text):
        with pytest.raises(month.MonthInvalid, match="is no month; write it as 2020-05"):
            month.parse(text)
