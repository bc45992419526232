"""The page of exports."""

from pathlib import Path

import pytest
from django.urls import reverse

from billing.models import Export
from tests.billing.console import month
from tests.billing.exports import sample

pytestmark = pytest.mark.django_db

ADDRESS = "/console/exports/?month=2020-05"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"
    return settings.EXPORTS_DIR


def made(client, *formats):
    return client.post(ADDRESS, {"formats": formats})


class TestExports:
    def test_are_made_and_listed_with_their_files(self, owner, folder):
        month.invoiced()
        answer = made(owner, "csv", "pdf")
        assert (answer.status_code, answer.url) == (302, ADDRESS)
        export = Export.objects.get()
        assert (export.made_by, f"{export.month:%Y-%m}") == ("owner", "2020-05")
        assert Path(export.folder).is_relative_to(folder)
        page = owner.get(ADDRESS).content.decode()
        assert "The export of May 2020 is ready" in page
        assert "pdf/INV-000001.pdf" in page
        assert page.count("$50.00") == 2  # of the month, and of the export

    def test_hand_their_files_out(self, owner):
        month.invoiced()
        made(owner, "csv")
        export = Export.objects.get()
        answer = owner.get(reverse("console:export_file", args=[export.pk, "invoices.csv"]))
        content = b"".join(answer.streaming_content)
        assert answer["Content-Disposition"] == 'attachment; filename="invoices.csv"'
        assert content == Path(export.folder, "invoices.csv").read_bytes()
        assert b"INV-000001" in content

    @pytest.mark.parametrize(
        "name", ["manifest.json.txt", "../2020-05/x", "..%2f..%2fetc/passwd", "%2fetc/passwd"]
    )
    def test_hand_out_nothing_else(self, owner, name):
        month.invoiced()
        made(owner, "csv")
        assert owner.get(f"/console/exports/{Export.objects.get().pk}/{name}").status_code == 404

    def test_say_when_a_file_is_gone(self, owner):
        month.invoiced()
        made(owner, "csv")
        export = Export.objects.get()
        Path(export.folder, "invoices.csv").unlink()
        answer = owner.get(reverse("console:export_file", args=[export.pk, "invoices.csv"]))
        assert answer.status_code == 404
        assert "Make the export again." in answer.content.decode()

    def test_need_a_format(self, owner):
        month.invoiced()
        answer = made(owner)
        assert answer.status_code == 400
        assert "Choose at least one format." in answer.content.decode()

    def test_are_made_only_by_who_may(self, client):
        month.invoiced()
        client.force_login(month.clerk("billing.view_export"))
        assert made(client, "csv").status_code == 403
        assert "Make the export" not in client.get(ADDRESS).content.decode()

    def test_name_the_drafts_that_are_left_out(self, owner):
        invoice = month.invoiced()
        sample.draft(lines=[sample.calls()], buyer=invoice.customer)
        assert "1 draft of this month will not be in it" in owner.get(ADDRESS).content.decode()

    def test_say_that_a_month_is_empty(self, owner):
        page = owner.get(ADDRESS).content.decode()
        assert "No finalized invoice belongs to May 2020" in page
        assert "No exports yet" in page
