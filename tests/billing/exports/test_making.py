import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from django.core.files.storage import storages
from django.db import connection
from moto.server import ThreadedMotoServer

from billing.exports import folder as folders
from billing.exports import formats, making, month, pdf, places, tasks, verification
from billing.models import Export
from config import celery
from config import storages as configured
from config.env import Env
from tests.billing.exports import sample
from tests.billing.exports.test_month import AT, TABLES, contents, two_invoices

ENDED_AT = datetime(2020, 6, 15, 12, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def exports_dir(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"
    return settings.EXPORTS_DIR


def asked(*names):
    return making.request(month=sample.MAY, formats=names, by="finance", at=AT)


def make(export):
    return making.make(export_id=export.pk, at=lambda: ENDED_AT)


@pytest.mark.django_db
class TestRequest:
    def test_leaves_a_row_for_a_worker(self, exports_dir):
        export = asked("csv")
        assert (export.state, export.formats, export.made_by, export.made_at) == (
            "PENDING",
            ["csv"],
            "finance",
            AT,
        )
        assert export.folder == str(exports_dir / "2020-05" / str(export.pk))
        assert making.unfinished() == [export.pk]
        assert not exports_dir.exists()

    def test_refuses_an_unknown_format(self):
        with pytest.raises(formats.FormatUnknown):
            asked("xls")
        assert not Export.objects.exists()


@pytest.mark.django_db
class TestMake:
    def test_writes_the_files_and_says_how_far_it_is(self):
        two_invoices()
        export = make(asked("csv"))
        assert (export.state, export.done, export.expected, export.ended_at) == ("DONE", 2, 2, ENDED_AT)
        assert verification.differences(folder=Path(export.folder)) == []
        assert Export.objects.get().manifest == export.manifest
        assert export.manifest["totals"] == {"JPY": "1200", "USD": "1190.56"}
        assert making.unfinished() == []

    def test_does_nothing_a_second_time(self):
        two_invoices()
        export = make(asked("csv"))
        before = contents(Path(export.folder))
        late = sample.draft(lines=[sample.calls()], buyer=sample.customer("late"))
        sample.finalized(late, "INV-000003")
        again = make(export)
        assert (again.state, again.manifest) == ("DONE", export.manifest)
        assert contents(Path(export.folder)) == before

    def test_says_why_it_failed_and_can_be_made_again(self, exports_dir):
        two_invoices()
        exports_dir.write_text("in the way")
        export = make(asked("csv"))
        assert export.state == "FAILED"
        assert "cannot be written to" in export.failed_reason
        exports_dir.unlink()
        assert make(export).state == "DONE"

    def test_keeps_an_unforeseen_failure_too(self, monkeypatch):
        two_invoices()
        export = asked("pdf")
        monkeypatch.setattr(pdf.document, "of", lambda voucher, **options: {}[voucher.number])
        with pytest.raises(KeyError):
            make(export)
        export.refresh_from_db()
        assert (export.state, export.failed_reason) == ("FAILED", "KeyError: 'INV-000001'")

    def test_by_the_task_is_the_same(self):
        two_invoices()
        export = asked()
        tasks.make(export_id=export.pk)
        export.refresh_from_db()
        assert (export.state, len(export.files)) == ("DONE", len(TABLES) + 3)


@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    def test_make_an_export_once(self):
        two_invoices()
        export = asked("csv")
        outcomes = []

        def work():
            outcomes.append(make(export))
            connection.close()

        with making._alone(export.pk):
            other = threading.Thread(target=work)
            other.start()
            other.join()
        assert outcomes == [None]
        assert make(export).state == "DONE"


KILLED = """
import os, signal, sys
import django
django.setup()
from datetime import UTC, datetime
from django.conf import settings
from billing.exports import csv, making
original = csv.Sheet.add
def add(self, voucher):
    if voucher.number == "INV-000002":
        os.kill(os.getpid(), signal.SIGKILL)
    original(self, voucher)
csv.Sheet.add = add
making.make(export_id=int(sys.argv[1]), at=lambda: datetime(2020, 6, 15, tzinfo=UTC))
"""


@pytest.mark.django_db(transaction=True)
class TestKilled:
    def test_leaves_no_file_and_is_made_by_the_next_worker(self):
        two_invoices()
        export = asked("csv")
        env = {**os.environ, "DATABASE_URL": _url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(export.pk)], env=env, timeout=60, check=False
        )
        assert done.returncode == -signal.SIGKILL
        export.refresh_from_db()
        assert export.state == "RUNNING"
        left = [path.name for path in Path(export.folder).iterdir()]
        assert left == [folders.PARTIAL]
        assert making.unfinished() == [export.pk]
        assert make(export).state == "DONE"
        assert sorted(contents(Path(export.folder))) == ["invoices.csv", "lines.csv", "manifest.json"]


def _url():
    at = connection.settings_dict
    return f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@pytest.fixture
def bucket(settings):
    """A bucket of a storage that speaks S3 over HTTP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    env = Env(
        EXPORTS_BUCKET=f"billing-{port}",  # the storage of one process keeps its buckets
        EXPORTS_PREFIX="acme/",
        EXPORTS_ENDPOINT=f"http://127.0.0.1:{port}",
        EXPORTS_REGION="eu-central-1",
        EXPORTS_ACCESS_KEY="key",
        EXPORTS_SECRET_KEY="secret",
    )
    settings.STORAGES = configured.read(env)
    settings.EXPORTS_BUCKET, settings.EXPORTS_PREFIX = env.EXPORTS_BUCKET, env.EXPORTS_PREFIX
    client = boto3.client(
        "s3",
        endpoint_url=env.EXPORTS_ENDPOINT,
        region_name=env.EXPORTS_REGION,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client.create_bucket(
        Bucket=env.EXPORTS_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client.name = env.EXPORTS_BUCKET
    yield client
    server.stop()


@pytest.mark.django_db
class TestStorage:
    def test_takes_the_same_files_as_a_folder(self, bucket, tmp_path):
        two_invoices()
        export = make(asked("csv", "pdf"))
        assert (export.state, export.failed_reason) == ("DONE", "")
        assert export.folder == f"s3://{bucket.name}/acme/2020-05/{export.pk}/"
        listed = bucket.list_objects_v2(Bucket=bucket.name)["Contents"]
        found = {
            each["Key"].removeprefix(export.prefix): bucket.get_object(Bucket=bucket.name, Key=each["Key"])[
                "Body"
            ].read()
            for each in listed
        }
        month.write(month=sample.MAY, formats=["csv", "pdf"], folder=tmp_path / "may", at=AT)
        assert found == contents(tmp_path / "may")

    def test_gives_its_files_back(self, bucket):
        two_invoices()
        export = make(asked("csv"))
        with places.opened(export=export, path="lines.csv") as file:
            assert file.read().startswith(b"invoice,customer,")
        with pytest.raises(places.FileMissing):
            places.opened(export=export, path="nothing.csv")

    def test_that_refuses_fails_the_export_and_names_the_file(self, bucket):
        two_invoices()
        export = asked("csv")
        bucket.delete_bucket(Bucket=bucket.name)
        assert make(export).state == "FAILED"
        assert (
            f"acme/2020-05/{export.pk}/invoices.csv cannot be stored"
            in export.__class__.objects.get().failed_reason
        )

    def test_is_none_where_no_bucket_is_configured(self):
        assert "exports" not in configured.read(Env())
        assert "exports" not in storages.backends


class TestQueue:
    def test_is_one_of_its_own(self):
        route = celery.app.amqp.router.route({}, "billing.exports.tasks.make")
        assert route["queue"].name == "exports"
        # Queues of one exchange with one key would both get every message.
        keys = {queue.name: queue.routing_key for queue in celery.app.conf.task_queues}
        assert keys == {"celery": "celery", "exports": "exports"}
