"""The whole demo, every tenth row of it, against a running web process and a running worker."""

import csv
import datetime
import json
import os
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from billing.models import Invoice
from config.demo import sending
from metering import issuing
from metering.models import ApiKey

AT = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture
def demo(web_server, celery_worker, tmp_path):
    """Runs the demo as a command; its export goes to the test's folder."""
    parts = connection.settings_dict
    address = f"{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"postgresql://{address}",
        "REDIS_URL": celery_worker.app.conf.broker_url,
        "SECRET_KEY": settings.SECRET_KEY,
        "API_KEY_PEPPER": settings.API_KEY_PEPPER,
        "METERBOOK_URL": web_server.url,
        "EXPORTS_DIR": str(tmp_path),
    }

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "config.demo", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def totals():
    return dict(Invoice.objects.values_list("customer__key", "total"))


@pytest.mark.server
@pytest.mark.worker
class TestDemo:
    def test_ends_well_twice_and_sees_when_something_is_wrong(self, demo, web_server, tmp_path):
        first = demo("--tenth")
        assert (first.returncode, first.stderr) == (0, ""), first.stdout
        assert "38 of 38 quantities are equal" in first.stdout
        assert re.search(r"GPU intervals\s+2,487 of 2,487 events  2,487 new, 0 duplicates", first.stdout)
        assert max(map(len, first.stdout.splitlines())) <= 100
        assert Invoice.objects.filter(state=Invoice.State.FINALIZED).count() == 18
        exported(tmp_path / "2020-05" / "demo")
        assert not ApiKey.objects.filter(revoked_at=None).exists()

        billed = totals()
        second = demo("--tenth")
        assert (second.returncode, second.stderr) == (0, ""), second.stdout
        assert re.search(r"Model calls\s+2,817 of 2,817 events  0 new, 2,817 duplicates", second.stdout)
        assert "0 now, 18 were there already" in second.stdout
        assert totals() == billed

        whole = demo()
        assert (whole.returncode, whole.stdout) == (2, "")
        assert "invoices of a tenth of the demo" in whole.stderr

        send_one_call_too_many(web_server.url)
        third = demo("--tenth")
        assert third.returncode == 1
        assert "36 of 38 quantities are equal" in third.stdout
        assert "DIFFERENT: model_calls of azure-code: 881 in the files, metered 882" in third.stdout
        assert totals() == billed


def exported(folder):
    """The export holds what was billed, and a PDF of each invoice."""
    with (folder / "invoices.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["customer"]: row["total"] for row in rows} == {
        key: str(total) for key, total in totals().items()
    }
    assert len(list(folder.glob("**/*.pdf"))) == 18
    assert json.loads((folder / "manifest.json").read_text())["invoices"] == 18


def send_one_call_too_many(url):
    _key, text = issuing.issue_api_key(name="test", scopes=["ingest"], at=AT)
    event = {
        "specversion": "1.0",
        "id": "one-too-many",
        "source": "/test",
        "type": "llm.call",
        "subject": "azure-code",
        "time": "2020-05-14T12:00:00Z",
        "data": {"input_tokens": 1, "output_tokens": 0},
    }
    with sending.Server(url) as server:
        server.send(sender=sending.ApiKeySender(key=text), events=[event], advanced=lambda count: None)
