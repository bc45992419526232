"""The page of exports."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.urls import reverse

from billing.exports import making
from billing.models import Export
from tests.billing.console import month
from tests.billing.exports import sample

pytestmark = pytest.mark.django_db

ADDRESS = "/console/exports/?month=2020-05"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"
    return settings.EXPORTS_DIR


def asked(client, *formats):
    return client.post(ADDRESS, {"formats": formats})


def made(client, *formats):
    """What asking was answered; a worker has been there meanwhile."""
    answer = asked(client, *formats)
    for export_id in making.unfinished():
        making.make(export_id=export_id, at=lambda: datetime(2020, 6, 15, tzinfo=UTC))
    return answer


def page_of(client):
    return client.get(ADDRESS).content.decode()


class TestExports:
    def test_are_asked_for_and_wait_for_a_worker(self, owner, folder):
        month.invoiced()
        answer = asked(owner, "csv", "pdf")
        assert (answer.status_code, answer.url) == (302, ADDRESS)
        export = Export.objects.get()
        assert (export.state, export.formats, export.made_by) == ("PENDING", ["csv", "pdf"], "owner")
        assert f"{export.month:%Y-%m}" == "2020-05"
        assert Path(export.folder).is_relative_to(folder)
        page = page_of(owner)
        assert "The export of May 2020 waits for a worker." in page
        assert "Waiting for a worker" in page
        assert "No exports yet" not in page

    def test_say_how_far_they_are_and_ask_again_until_they_are_done(self, owner):
        month.invoiced()
        asked(owner, "csv")
        Export.objects.update(state=Export.State.RUNNING, done=1200, expected=90_000)
        page = page_of(owner)
        assert "1,200 of 90,000" in page
        assert 'data-refresh-s="4"' in page
        assert "console/refreshing.js" in page
        made(owner, "csv")
        page = page_of(owner)
        assert "Under way" not in page
        assert "refreshing.js" not in page

    def test_say_why_one_failed(self, owner, folder):
        month.invoiced()
        folder.write_text("in the way")
        made(owner, "csv")
        page = page_of(owner)
        assert "cannot be written to" in page
        assert "make the export again" in page

    def test_are_listed_with_their_files_when_they_are_done(self, owner):
        month.invoiced()
        made(owner, "csv", "pdf")
        page = page_of(owner)
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
