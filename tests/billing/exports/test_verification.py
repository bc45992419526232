import json
import shutil

import pytest

from billing.exports import folder as folders
from billing.exports import month, verification
from tests.billing.exports import sample
from tests.billing.exports.test_month import AT, TABLES

pytestmark = pytest.mark.django_db


@pytest.fixture
def may(tmp_path):
    """A folder with the export of two invoices."""
    buyer = sample.customer()
    sample.finalized(sample.draft(lines=[sample.calls(amount="0.10")], buyer=buyer), "INV-000001")
    sample.finalized(sample.draft(lines=[sample.calls(amount="0.20")], buyer=buyer), "INV-000002")
    month.write(month=sample.MAY, formats=[], folder=tmp_path, at=AT)
    return tmp_path


def differences(folder):
    return verification.differences(folder=folder)


def rewrite(folder, change):
    """Changes the manifest as somebody would who covers his traces."""
    manifest = folders.read_manifest(folder=folder)
    change(manifest)
    (folder / folders.MANIFEST).write_bytes(folders.manifest_bytes(manifest))


class TestDifferences:
    def test_are_none_after_an_export(self, may):
        assert differences(may) == []

    def test_are_none_in_a_copy_elsewhere(self, may, tmp_path_factory):
        copy = tmp_path_factory.mktemp("archive") / "may"
        shutil.copytree(may, copy)
        assert differences(copy) == []

    def test_name_a_changed_file(self, may):
        path = may / "lines.csv"
        path.write_bytes(path.read_bytes().replace(b"0.20", b"0.02"))
        assert differences(may) == ["lines.csv: was changed after it was written (size or SHA-256 differs)"]

    def test_name_a_changed_pdf(self, may):
        with (may / "pdf" / "INV-000002.pdf").open("ab") as file:
            file.write(b" ")
        assert differences(may) == [
            "pdf/INV-000002.pdf: was changed after it was written (size or SHA-256 differs)"
        ]

    def test_name_a_missing_file(self, may):
        (may / "invoices.csv").unlink()
        assert differences(may) == ["invoices.csv: is missing"]

    def test_find_a_file_changed_together_with_its_hash(self, may):
        path = may / "lines.csv"
        path.write_bytes(path.read_bytes().replace(b"USD,0.20,", b"USD,0.02,"))

        def change(manifest):
            entry = next(entry for entry in manifest["files"] if entry["file"] == "lines.csv")
            entry["bytes"], entry["sha256"] = folders.fingerprint(path)

        rewrite(may, change)
        assert differences(may) == ["lines.csv: adds up to USD 0.12, the manifest says USD 0.30"]

    def test_find_a_manifest_that_is_wrong_throughout(self, may):
        def change(manifest):
            manifest["totals"] = {"USD": "0.29"}

        rewrite(may, change)
        named = [*TABLES, "invoices.zip", "the pdf files"]
        assert sorted(differences(may)) == sorted(
            [
                *(f"{name}: the totals are not those of the month, USD 0.29" for name in named),
                "the database adds up to USD 0.30, the export to USD 0.29",
            ]
        )

    def test_tell_that_an_invoice_came_later(self, may):
        buyer = sample.customer("late")
        sample.finalized(sample.draft(lines=[sample.calls(amount="5.00")], buyer=buyer), "INV-000003")
        assert differences(may) == [
            "the database has 3 invoices of 2020-05, the export 2",
            "the database adds up to USD 5.30, the export to USD 0.30",
        ]

    def test_never_follow_a_manifest_out_of_the_folder(self, may):
        def change(manifest):
            manifest["files"][0]["file"] = "../secret"

        rewrite(may, change)
        assert differences(may)[0] == "../secret: lies outside the export's folder"

    def test_need_a_manifest(self, tmp_path):
        with pytest.raises(folders.ManifestMissing, match=r"there is no manifest\.json"):
            differences(tmp_path)

    @pytest.mark.parametrize(
        "content", ["{", "[]", "{}", '{"month": "May", "files": [{}], "totals": {}, "invoices": 1}', "\xff"]
    )
    def test_need_a_manifest_of_ours(self, tmp_path, content):
        (tmp_path / "manifest.json").write_bytes(content.encode("latin-1"))
        with pytest.raises(folders.ManifestMissing, match=r"manifest\.json"):
            differences(tmp_path)

    def test_are_told_for_files_without_format(self, may):
        def change(manifest):
            manifest["files"][0]["format"] = "xls"

        rewrite(may, change)
        assert json.loads((may / "manifest.json").read_text())["files"][0]["format"] == "xls"
        assert "invoices.csv: its format 'xls' is unknown here" in differences(may)
