"""/api/v1/what-ifs: asked, run by a worker, read and cancelled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.advising import asking
from billing.invoicing import running
from tests.world import catalog

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def october():
    """Acme ran 10 GPU-hours in October at 2.50."""
    catalog.seller()
    catalog.gpu_hours()
    catalog.subscription(catalog.customer("acme"), catalog.plan())
    catalog.run_gpus("acme", catalog.OCTOBER.start, 10)
    running.run(as_of=AT, at=AT)


def question(**fields):
    draft = catalog.document(catalog.component(unit_amount="3"))
    return {
        "plans": [draft],
        "start_at": "2026-10-01T00:00:00Z",
        "end_at": "2026-11-01T00:00:00Z",
        **fields,
    }


class TestWhatIfs:
    def test_are_queued_run_and_read(self, ask, october):
        asked = ask("POST", "/what-ifs", question())
        assert (asked.status_code, asked.json()["state"]) == (201, "QUEUED")
        asking.run_next(clock=lambda: AT)
        job = ask("GET", f"/what-ifs/{asked.json()['id']}").json()
        assert (job["state"], job["done"], job["total"], job["plans"]) == ("DONE", 1, 1, ["gpu-cloud"])
        (customer,) = job["customers"]
        assert (customer["old"], customer["new"], customer["difference"]) == ("25.00", "30.00", "5.00")
        (row,) = ask("GET", f"/what-ifs/{job['id']}/differences").json()["differences"]
        assert (row["difference"], row["components"]) == ("5.00", [["gpu", "25.00", "30.00"]])

    def test_come_as_a_file(self, ask, october):
        id = ask("POST", "/what-ifs", question()).json()["id"]
        asking.run_next(clock=lambda: AT)
        lines = ask("GET", f"/what-ifs/{id}/table").content.decode().split("\r\n")
        assert lines[0].startswith("customer,subscription,invoices,period_start")
        assert lines[1] == (
            "acme,acme-gpu-cloud,INV-000001,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,gpu-cloud,USD,"
            "25.00,30.00,5.00,true,,"
        )

    def test_can_be_cancelled_once(self, ask, october):
        id = ask("POST", "/what-ifs", question()).json()["id"]
        assert ask("POST", f"/what-ifs/{id}/cancel").json()["state"] == "CANCELLED"
        assert ask("POST", f"/what-ifs/{id}/cancel").status_code == 409

    def test_are_listed_the_latest_first(self, ask, october):
        ids = [ask("POST", "/what-ifs", question()).json()["id"] for _ in range(2)]
        assert [each["id"] for each in ask("GET", "/what-ifs").json()["what_ifs"]] == ids[::-1]

    @pytest.mark.parametrize(
        "fields",
        [
            {"plans": []},
            {"plans": [{"code": "p"}]},
            {"end_at": "2026-10-01T00:00:00Z"},
            {"customer": "nobody"},
            {"is_move": "perhaps"},
            {"plan": {}},
        ],
    )
    def test_that_are_wrong_are_refused(self, ask, october, fields):
        assert ask("POST", "/what-ifs", question(**fields)).status_code == 400

    def test_need_a_key_that_may_change_things(self, ask, october):
        assert ask("POST", "/what-ifs", question(), scopes=("read",)).status_code == 403

    def test_that_are_not_there_are_not_found(self, ask):
        assert ask("GET", "/what-ifs/77").status_code == 404
