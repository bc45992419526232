"""A worker that is killed in the middle of its work, with the real events of the Helios trace."""

import datetime
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC
from fractions import Fraction

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from config.demo import sending, traces, verdict, world
from metering import issuing, usage
from metering.models import EventBatch, MeterVersion
from metering.periods import Period

AT = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
PATIENCE_S = 60
ROLL_UP = "metering.tasks.roll_up_pending"
FIRST_EVENTS = 5000  # five batches are rolled up before anything goes wrong


@pytest.fixture
def second_worker(celery_worker) -> Iterator[Callable[[], None]]:
    """Starts another worker on the same broker and database, as a supervisor would."""
    started = []

    def start() -> None:
        broker = celery_worker.app.conf.broker_url
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--concurrency", "2"],
                env={
                    **os.environ,
                    "DATABASE_URL": database_url(),
                    "REDIS_URL": broker,
                    "SECRET_KEY": settings.SECRET_KEY,
                    "API_KEY_PEPPER": settings.API_KEY_PEPPER,
                    "DJANGO_SETTINGS_MODULE": "config.settings",
                },
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    yield start
    for process in started:
        kill(process)


def database_url() -> str:
    parts = connection.settings_dict
    return f"postgresql://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


def kill(process: subprocess.Popen) -> None:
    """As `kill -9`: the worker and its children have no moment left for anything."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"{what} did not happen"
        time.sleep(0.05)


def pending() -> int:
    return EventBatch.objects.filter(rolled_epoch=None).count()


def waiting_backends() -> set[int]:
    """The database processes of this test that wait for a row that somebody else has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def are_gone(backends: set[int]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity where pid = any(%s)", [list(backends)])
        return cursor.fetchone() == (0,)


def tenants_are_right() -> bool:
    """Whether each tenant's GPU-hours and minutes of run time are those of the file."""
    tenants = {tenant.subject for tenant in traces.tenants()}
    found = [one for one in verdict.compare(every=1) if one.subject in tenants]
    return len(found) == 2 * len(tenants) and all(one.is_equal for one in found)


def send(url: str, secret: str, events: list) -> None:
    sender = sending.WebhookSender(secret=secret, path="/webhooks/metering/helios")
    with sending.Server(url) as server:
        assert server.send(sender=sender, events=events, advanced=lambda count: None) == sending.Sent(
            accepted=len(events), duplicates=0
        )


@pytest.mark.server
@pytest.mark.worker
class TestKilledWorker:
    def test_loses_and_doubles_nothing(self, web_server, celery_worker, second_worker):
        world.set_up(at=AT)
        _source, secret = issuing.issue_webhook_source(name="helios", adapter="cloudevents", at=AT)
        events = traces.gpu_intervals(every=1)
        send(web_server.url, secret, events[:FIRST_EVENTS])
        celery_worker.app.send_task(ROLL_UP)
        wait_for(lambda: pending() == 0, "the roll-up of the first batches")
        rolled = EventBatch.objects.count()

        # Whoever rolls up raises these counters: the worker stops in the middle of its transaction.
        with psycopg.connect(database_url()) as holder:
            holder.execute("select 1 from metering_usagerevision for update")
            send(web_server.url, secret, events[FIRST_EVENTS:])
            celery_worker.app.send_task(ROLL_UP)
            wait_for(lambda: waiting_backends() != set(), "a roll-up in the middle of its work")
            backends = waiting_backends()
            kill(celery_worker.process)
            holder.rollback()
        wait_for(lambda: are_gone(backends), "the end of the killed worker's transaction")
        assert EventBatch.objects.exclude(rolled_epoch=None).count() == rolled
        assert pending() == EventBatch.objects.count() - rolled > 0
        # What waits is counted nevertheless.
        assert tenants_are_right()

        second_worker()
        celery_worker.app.send_task(ROLL_UP)
        wait_for(lambda: pending() == 0, "the roll-up by the second worker")
        assert tenants_are_right()
        assert gpu_microseconds_in_buckets() == Fraction(25486357 * 60 * 1_000_000)
        assert gpu_minutes_by_the_door() == gpu_minutes_by_the_file()


GpuMinutes = dict[tuple[str, datetime.date], Fraction]


def gpu_minutes_by_the_door() -> GpuMinutes:
    """GPU-minutes by tenant and day of May 2020."""
    may = Period(datetime.datetime(2020, 5, 1, tzinfo=UTC), datetime.datetime(2020, 6, 1, tzinfo=UTC))
    answer = usage.quantities(
        meter=MeterVersion.objects.get(meter__slug="gpu_hours"),
        spans=[(tenant.subject, may) for tenant in traces.tenants()],
        by=["subject"],
        windows=usage.Windows("DAY"),
    )
    found = {(row.dimensions["subject"], row.window.start.date()): row.quantity * 60 for row in answer.rows}
    return {key: minutes for key, minutes in found.items() if minutes}


def gpu_minutes_by_the_file() -> GpuMinutes:
    """The same straight from the rows of the file, cut at midnight."""
    found: GpuMinutes = defaultdict(Fraction)
    for _number, row in traces.rows(file=traces.HELIOS_FILE, every=1):
        at = datetime.datetime.fromisoformat(row["start"]).replace(tzinfo=UTC)
        end = at + datetime.timedelta(minutes=int(row["minutes"]))
        while at < end:
            midnight = datetime.datetime.combine(at.date() + DAY, datetime.time(), tzinfo=UTC)
            minutes = (min(end, midnight) - at) // datetime.timedelta(minutes=1)
            found[row["vc"], at.date()] += minutes * int(row["running_gpus"])
            at = min(end, midnight)
    return {key: minutes for key, minutes in found.items() if minutes}


def gpu_microseconds_in_buckets() -> Fraction:
    """All that the roll-up wrote for the GPU meter, added up without the usage door."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(b.quantity) from metering_usagebucket b"
            " join metering_usageseries s on s.id = b.series_id"
            " join metering_meterversion v on v.id = s.meter_version_id"
            " join metering_meter m on m.id = v.meter_id where m.slug = 'gpu_hours'"
        )
        return Fraction(cursor.fetchone()[0])
