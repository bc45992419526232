"""Exports of months through the API."""

import hashlib
import json

import pytest

from billing.exports import making
from billing.models import Export
from tests.billing.exports import sample
from tests.billing.exports.test_making import ENDED_AT
from tests.billing.exports.test_month import two_invoices
from tests.metering.door.deliveries import new_key

pytestmark = pytest.mark.django_db

TOTALS = {"JPY": "1200", "USD": "1190.56"}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"
    return settings.EXPORTS_DIR


def made(ask, *formats):
    """The address of an export that a worker made."""
    two_invoices()
    answer = ask("POST", "/exports", {"month": "2020-05", "formats": list(formats)})
    making.make(export_id=answer.json()["id"], at=lambda: ENDED_AT)
    return f"/exports/{answer.json()['id']}"


def fetched(client, address, name, **headers):
    """A file as it comes; `ask` would look for its type in the API's description, which names any."""
    headers["authorization"] = f"Bearer {new_key('read')}"
    return client.get(f"/api/v1{address}/files/{name}", headers=headers)


class TestAsking:
    def test_leaves_a_row_for_a_worker(self, ask):
        answer = ask("POST", "/exports", {"month": "2020-05", "formats": ["csv", "pdf", "csv"]})
        export = Export.objects.get()
        assert answer.status_code == 201
        assert answer["Location"] == f"/api/v1/exports/{export.pk}"
        told = answer.json()
        assert (told["state"], told["formats"], told["manifest"]) == ("PENDING", ["csv", "pdf"], None)
        assert (export.month, export.state, export.made_by[:8]) == (sample.MAY, "PENDING", "API key ")

    def test_twice_with_one_key_asks_once(self, ask):
        body = {"month": "2020-05"}
        first, again = (ask("POST", "/exports", body, idempotency_key="may") for _ in range(2))
        assert first.json() == again.json()
        assert Export.objects.count() == 1

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "month"),
            ({"month": "2020-13"}, "month"),
            ({"month": "2020-05", "formats": ["xls"]}, "formats"),
            ({"month": "2020-05", "formats": "csv"}, "formats"),
            ({"month": "2020-05", "format": ["csv"]}, "format"),
        ],
    )
    def test_is_refused_with_the_member_that_is_wrong(self, ask, body, field):
        answer = ask("POST", "/exports", body)
        assert answer.status_code == 400
        assert field in answer.content.decode()
        assert not Export.objects.exists()

    def test_needs_the_right_to_change(self, ask):
        assert ask("POST", "/exports", {"month": "2020-05"}, scopes=("read",)).status_code == 403


class TestReading:
    def test_shows_state_progress_and_manifest(self, ask):
        told = ask("GET", made(ask, "csv")).json()
        assert (told["state"], told["done"], told["expected"]) == ("DONE", 2, 2)
        assert told["ended_at"] == "2020-06-15T12:05:00Z"
        assert told["totals"] == told["manifest"]["totals"] == TOTALS
        assert [each["file"] for each in told["manifest"]["files"]] == ["invoices.csv", "lines.csv"]
        assert told["manifest"] == json.loads(json.dumps(Export.objects.get().manifest))

    def test_shows_why_one_failed(self, ask, folder):
        folder.write_text("in the way")
        told = ask("GET", made(ask, "csv")).json()
        assert (told["state"], told["manifest"]) == ("FAILED", None)
        assert "cannot be written to" in told["failure"]

    def test_lists_those_of_a_month_the_latest_first(self, ask):
        ids = [
            ask("POST", "/exports", {"month": month}).json()["id"]
            for month in ("2020-05", "2020-06", "2020-05")
        ]
        page = ask("GET", "/exports?month=2020-05").json()
        assert [each["id"] for each in page["exports"]] == [ids[2], ids[0]]
        page = ask("GET", "/exports?limit=2").json()
        assert [each["id"] for each in page["exports"]] == [ids[2], ids[1]]
        assert ask("GET", f"/exports?limit=2&cursor={page['next']}").json()["exports"][0]["id"] == ids[0]

    def test_of_one_that_is_not_there_is_404(self, ask):
        assert ask("GET", "/exports/1").status_code == 404


class TestFiles:
    def test_are_handed_out_byte_by_byte(self, ask, client):
        address = made(ask, "csv")
        answer = fetched(client, address, "lines.csv")
        content = b"".join(answer.streaming_content)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
        entry = next(each for each in Export.objects.get().files if each["file"] == "lines.csv")
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]

    def test_in_a_folder_of_the_export_are_too(self, ask, client):
        address = made(ask, "pdf")
        answer = fetched(client, address, "pdf%2FINV-000001.pdf", accept="application/pdf")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert b"".join(answer.streaming_content).startswith(b"%PDF")

    @pytest.mark.parametrize("name", ["manifest.json", "..%2f..%2fetc%2fpasswd", "x.csv"])
    def test_that_the_manifest_does_not_name_are_404(self, ask, client, name):
        address = made(ask, "csv")
        assert fetched(client, address, name).status_code == 404

    def test_that_are_gone_are_404(self, ask, folder):
        address = made(ask, "csv")
        next(folder.rglob("lines.csv")).unlink()
        answer = ask("GET", f"{address}/files/lines.csv")
        assert answer.status_code == 404
        assert "Make the export again" in answer.content.decode()
