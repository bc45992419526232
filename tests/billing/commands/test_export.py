import io

import pytest
from django.core.management import CommandError, call_command

from tests.billing.exports import sample
from tests.billing.exports.test_month import TABLES

pytestmark = pytest.mark.django_db


def export(*arguments):
    out = io.StringIO()
    call_command("export", *map(str, arguments), stdout=out)
    return out.getvalue()


class TestExport:
    def test_writes_all_formats_and_prints_files_and_totals(self, tmp_path):
        sample.finalized(sample.draft(lines=[sample.calls()]))
        printed = export("2020-05", "--out", tmp_path).splitlines()
        assert [line.split("  ")[:2] for line in printed[:-2]] == [
            *([name, "2 rows" if name == "journal.csv" else "1 row"] for name in TABLES),
            ["pdf/INV-000001.pdf", "1 row"],
            ["invoices.zip", "1 row"],
        ]
        assert printed[-2:] == [f"2020-05: 1 invoice in {tmp_path}", "total USD 1322.85"]

    def test_writes_the_formats_that_are_named(self, tmp_path):
        sample.finalized(sample.draft(lines=[sample.calls()]))
        export("2020-05", "--format", "csv", "--out", tmp_path / "new" / "folder")
        found = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
        assert found == ["invoices.csv", "lines.csv", "manifest.json"]

    def test_says_that_a_month_is_empty_and_what_is_in_draft(self, tmp_path):
        sample.draft(lines=[sample.calls()])
        printed = export("2020-05", "--out", tmp_path).splitlines()
        assert printed[0] == "no invoices of 2020-05: the files hold no rows"
        assert printed[-2:] == [
            f"2020-05: 0 invoices in {tmp_path}",
            "not exported: 1 invoice of 2020-05 still in draft",
        ]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("2020-13", "--out", "x"), "'2020-13' is no month; write it as 2020-05"),
            (
                ("2020-05", "--format", "xls", "--out", "x"),
                "unknown format 'xls'; the formats are csv, xlsx,",
            ),
            (("2020-05",), "give a month and a folder: export 2020-05 --out DIR"),
            (
                ("2020-05", "--verify", "x"),
                "--verify DIR stands alone: the month and its files are read from",
            ),
        ],
    )
    def test_says_in_one_line_what_is_wrong(self, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(CommandError) as caught:
            export(*arguments)
        assert str(caught.value).startswith(message)
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_says_that_a_folder_cannot_be_written_to(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(CommandError, match=r"file/may cannot be written to: Not a directory"):
            export("2020-05", "--out", tmp_path / "file" / "may")


class TestVerify:
    def test_agrees_after_an_export(self, tmp_path):
        sample.finalized(sample.draft(lines=[sample.calls()]))
        export("2020-05", "--out", tmp_path)
        assert export("--verify", tmp_path) == f"{tmp_path} agrees with its manifest and with the database\n"

    def test_fails_and_names_what_differs(self, tmp_path):
        sample.finalized(sample.draft(lines=[sample.calls()]))
        export("2020-05", "--out", tmp_path)
        (tmp_path / "lines.csv").unlink()
        err = io.StringIO()
        with pytest.raises(CommandError, match="differs in 1 place"):
            call_command("export", "--verify", str(tmp_path), stderr=err)
        assert err.getvalue() == "lines.csv: is missing\n"

    def test_needs_an_export(self, tmp_path):
        with pytest.raises(CommandError, match=r"holds no complete export: there is no manifest\.json"):
            export("--verify", tmp_path)
