"""A plan through REST, a file and the console, and back: nothing is lost on the way, and nothing changes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from billing.models import PlanVersion
from metering import defining
from metering.documents import load_text
from tests.billing.differences.test_changes import DOCUMENTS
from tests.world import catalog

pytestmark = pytest.mark.django_db

DEMO = Path(__file__).resolve().parents[3] / "config" / "demo" / "documents"


def of_file(name):
    """The documents of a file of the demo."""
    found = load_text((DEMO / name).read_text(), name)
    return found if isinstance(found, list) else [found]


DEMOS = [
    document for kind in ("usage", "duration", "resource", "hybrid") for document in of_file(f"{kind}.yaml")
]
PLANS = [*DOCUMENTS, *DEMOS]


@pytest.fixture
def meters(document):
    """The meters that the document prices."""
    if document in DEMOS:
        defining.apply(document=of_file("meters.yaml"), at=datetime(2020, 1, 1, tzinfo=UTC))
    else:
        catalog.gpu_hours()


class TestPlan:
    @pytest.mark.parametrize("document", PLANS, ids=[f"{n}-{each['code']}" for n, each in enumerate(PLANS)])
    def test_is_the_same_through_rest_a_file_and_the_console(
        self, meters, ask, admin_client, tmp_path, capsys, document
    ):
        made = ask("POST", "/plans", document)
        assert (made.status_code, made.json()["outcome"]) == (201, "created"), made.content
        code = document["code"]

        over_rest = ask("GET", f"/plans/{code}/document")
        assert over_rest.json() == document
        assert ask("POST", "/plans", over_rest.content).json()["outcome"] == "unchanged"

        text = ask("GET", f"/plans/{code}/document", accept="application/yaml").content.decode()
        file = tmp_path / "plan.yaml"
        file.write_text(text)
        call_command("plans", "apply", str(file))
        assert capsys.readouterr().out == f"{code}: unchanged, version 1\n"
        call_command("plans", "export", code)
        assert capsys.readouterr().out == text

        pasted = {"text": text, "asked": "publish", "migration": document.get("migration", "NEXT_PERIOD")}
        assert admin_client.post("/console/plans/upload/", pasted).status_code == 302
        assert PlanVersion.objects.count() == 1
