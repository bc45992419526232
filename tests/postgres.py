"""A PostgreSQL of one test alone, which may be killed at any moment. It writes as in production."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.local import environment, places, postgres, processes
from tests.servers import end_with_parent, free_port

READY_S = 60.0


class Postgres:
    """Started with `start`, again after `kill`, always at the same ``url``."""

    def __init__(self, programs: Path, data: Path, owner: places.Owner | None, password: str) -> None:
        self._programs = programs
        self._data = data
        self._who = {"user": owner.uid, "group": owner.gid, "extra_groups": []} if owner else {}
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres:{password}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Starts the server and waits until it answers, after its recovery."""
        settings = {
            "port": self._port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "jit": "off",
            "shared_buffers": "32MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self._data.with_name("log")
        with log.open("ab") as output:
            self._process = self._run("postgres", "-D", str(self._data), *options, output=output)
        until = time.monotonic() + READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"PostgreSQL did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """As `kill -9` of the server and of all that it started: no moment is left for anything."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        until = time.monotonic() + READY_S
        while left := processes.standing_in(self._data, "postgres"):
            assert time.monotonic() < until, "the processes of PostgreSQL did not end"
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, on a connection of its own."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def make(self, password_file: Path) -> None:
        """Fills the data folder."""
        options = ["--no-locale", "-E", "UTF8", "--auth=scram-sha-256", "-U", "postgres", "--no-sync"]
        log = self._data.with_name("log")
        with log.open("ab") as output:
            making = self._run(
                "initdb", "-D", str(self._data), *options, f"--pwfile={password_file}", output=output
            )
        assert making.wait() == 0, log.read_text()

    def _run(self, program: str, *options: str, output: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(self._programs / program), *options],
            cwd=self._data,
            env=environment.of_server(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
            **self._who,
        )

    def _answers(self) -> bool:
        try:
            return self.rows("select 1") == [(1,)]
        except psycopg.OperationalError:
            return False


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A fresh PostgreSQL that runs; it is killed and removed after the test."""
    at = places.make(os.environ)
    _major, programs = postgres._programs(at)
    password = secrets.token_hex(8)
    with _folder(at) as folder:
        data, password_file = folder / "data", folder / "password"
        data.mkdir(mode=0o700)
        places.write_private(password_file, password)
        for path in (data, password_file):
            if at.owner:
                os.chown(path, at.owner.uid, at.owner.gid)
        server = Postgres(programs, data, at.owner, password)
        server.make(password_file)
        server.start()
        yield server
        server.kill()


@contextmanager
def _folder(at: places.Places) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="own-postgres-", dir=at.store))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
