"""Real processes for tests: a web process and a Celery worker on the test database.

They see only what is committed, so a test that uses them gets ``transactional_db`` with them.
"""

from __future__ import annotations

import ctypes
import dataclasses
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import celery
import pytest
import redis
from django.conf import settings
from django.db import connection

CHECKOUT = Path(__file__).resolve().parent.parent
READY_S = 60.0
STOP_S = 15.0


@dataclass(frozen=True)
class Response:
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class WebServer:
    """A running web process; ``url`` is its address without a path, ``process`` can be killed."""

    host: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def kill(self) -> None:
        """As `kill -9` of the process and its children."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def request(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Response(answer.status, names, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: bytes, **headers: str) -> Response:
        """Header names are written with underscores: ``content_type="application/json"``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", path, body=body, headers=named)


@dataclass(frozen=True)
class CeleryWorker:
    """A running Celery worker; ``app`` sends tasks to it, ``process`` can be killed."""

    app: celery.Celery
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture
def web_server(_web_process: WebServer, transactional_db: None) -> WebServer:
    """The web process of the test run, on the test database."""
    return _web_process


@pytest.fixture
def celery_worker(transactional_db: None) -> Iterator[CeleryWorker]:
    """A Celery worker of this test alone, on the test database; it has no beat.

    Its broker is a Redis database of its own, the one that the web process of the tests sends to as well.
    """
    url = _broker_url()
    redis.Redis.from_url(url).flushdb()
    name = f"test-{uuid.uuid4().hex[:8]}@localhost"
    command = ["celery", "-A", "config.celery", "worker", "--concurrency", "2", "--hostname", name]
    command += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with celery.Celery("tests", broker=url, set_as_current=False) as app:
        with _running(command, role="worker", environment=environment()) as (process, log):
            _wait(process, log, lambda: bool(app.control.ping(destination=[name], timeout=0.5)))
            yield CeleryWorker(app, process, log)
    redis.Redis.from_url(url).flushdb()


@pytest.fixture
def lonely_web_server(transactional_db: None) -> Iterator[WebServer]:
    """A second web process of this test alone, which finds no broker."""
    with web({**environment(), "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}) as server:
        yield server


@pytest.fixture(scope="session")
def _web_process(django_db_setup: None, django_db_blocker: Any) -> Iterator[WebServer]:
    """One process for all tests: it keeps nothing from one test to the next but caches of two seconds."""
    with django_db_blocker.unblock():
        of_tests = environment()
    with web(of_tests) as server:
        yield server


@contextmanager
def web(environment: Mapping[str, str], *, port: int | None = None) -> Iterator[WebServer]:
    """A web process of its own in an environment that names its servers; ends with the block."""
    server = WebServer("127.0.0.1", port or free_port())
    command = ["granian", "--interface", "wsgi", "--host", server.host, "--port", str(server.port), "--no-ws"]
    command += ["--workers", "1", "--blocking-threads", "16", "config.wsgi:application"]
    with _running(command, role="web", environment=environment) as (process, log):
        _wait(process, log, lambda: _is_healthy(server))
        yield dataclasses.replace(server, process=process)


@contextmanager
def _running(
    command: Sequence[str], *, role: str, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A program of this project in a session of its own, which ends when the tests do."""
    with tempfile.TemporaryDirectory(prefix=f"meterbook-test-{role}-") as folder:
        log = Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=CHECKOUT,
                env=dict(environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        try:
            yield process, log
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    with suppress(ProcessLookupError):  # what it left behind in its session, and itself if it would not stop
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_with_parent() -> None:
    """Run in a child before it starts its program: it gets SIGTERM when the tests end, however they end."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def environment() -> dict[str, str]:
    """The environment of a process on the test database."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": _database_url(),
        "REDIS_URL": _broker_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "API_KEY_PEPPER": settings.API_KEY_PEPPER,
        "PYTHONUNBUFFERED": "1",
    }


def _database_url() -> str:
    """The address of the test database, which pytest-django named."""
    address = connection.get_connection_params()
    user, password = quote(address.get("user", ""), safe=""), quote(address.get("password", ""), safe="")
    place = f"{address.get('host', '127.0.0.1')}:{address.get('port', 5432)}"
    return f"postgresql://{user}:{password}@{place}/{quote(address['dbname'], safe='')}"


def _broker_url() -> str:
    """A database of the given Redis that nobody else uses: eight further than the one that is configured,
    and one for each process of tests that run in parallel."""
    parts = urlsplit(settings.REDIS_URL)
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    number = (int(parts.path.strip("/") or 0) + 8 + process) % 16
    return urlunsplit(parts._replace(path=f"/{number}"))


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy(server: WebServer) -> bool:
    try:
        return server.get("/healthz").status == 200
    except OSError:
        return False


def _wait(process: subprocess.Popen[bytes], log: Path, is_ready: Any) -> None:
    until = time.monotonic() + READY_S
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"{' '.join(process.args[2:5])} did not become ready:\n{log.read_text()[-4000:]}")
        time.sleep(0.05)
