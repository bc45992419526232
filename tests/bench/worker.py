"""A Celery worker as ``config.local`` starts it, on the database and the broker of a run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import celery

from tests.bench import web
from tests.bench.shape import MeasurementWrong, Run


@dataclass(frozen=True, slots=True)
class Worker:
    """A running worker; ``app`` sends tasks to it. ``pid``: of its first process, the others work."""

    app: celery.Celery
    pid: int

    def memory_peak_bytes(self) -> int:
        """The most memory that any one of its processes held so far, as the kernel counted it."""
        return max(web.peak_bytes(pid) for pid in web.children(self.pid))


@contextmanager
def running(run: Run, *, processes: int) -> Iterator[Worker]:
    """One worker with so many processes; raises `MeasurementWrong` when it does not answer."""
    name = f"bench-{os.getpid()}@localhost"
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--hostname", name]
    command += ["--concurrency", str(processes), "--without-gossip", "--without-mingle"]
    environment = {
        **os.environ,
        "DATABASE_URL": run.database.url,
        "REDIS_URL": run.broker_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    with (
        celery.Celery("bench", broker=run.broker_url, set_as_current=False) as app,
        tempfile.TemporaryFile() as log,
    ):
        process = subprocess.Popen(
            command,
            cwd=web.CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=web.end_with_parent,
        )
        try:
            _wait(app, name, process)
            yield Worker(app, process.pid)
        except MeasurementWrong as error:
            log.seek(0)
            raise MeasurementWrong(f"{error}\n{log.read().decode(errors='replace')[-2000:]}") from error
        finally:
            web.stop(process)


def _wait(app: celery.Celery, name: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + web.READY_S
    while not app.control.ping(destination=[name], timeout=0.5):
        if process.poll() is not None or time.monotonic() > until:
            raise MeasurementWrong("the worker did not become ready")
