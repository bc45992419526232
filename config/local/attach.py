"""How a command of this checkout finds the servers of a run, or gets a PostgreSQL for itself alone.

While `make up` or `make demo` runs, its servers are used. Otherwise the first connection to the database
starts a keeper (see `keeper`), which ends PostgreSQL when the last command that uses it has ended, however
it ended.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from config.local import credentials, environment, failures, places, processes

USERS = "run.users"
READY = "ready"
BUSY = "busy"
START_S = 120.0
RETRY_S = 0.5
END_S = 60.0

_turn = threading.Lock()
_use: IO[str] | None = None


class ServersUnavailable(failures.CannotRun):
    """Neither is a run's database there, nor could one be started."""


def secrets() -> dict[str, str]:
    """SECRET_KEY, API_KEY_PEPPER and CONSOLE_PASSWORD of this checkout, made at the first call."""
    return credentials.of_checkout(places.local_folder(os.environ))


def redis_url() -> str | None:
    """The address of the Redis of a run that is going on, or None. Starts nothing."""
    state = running_state()
    return state.get("REDIS_URL") if state else None


def running_state() -> dict[str, Any] | None:
    """What the run that is going on tells of itself (see `running.Run.publish`), or None."""
    try:
        state = json.loads((places.local_folder(os.environ) / "run.json").read_text(encoding="utf-8"))
        known = processes.Identity(pid=state["pid"], started=state["started"], command=state["command"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # A file that a killed run left behind names a process that is gone, or by now another one.
    return state if known.is_running() else None


def database_url() -> str:
    """The address of the database of this checkout; starts it where nobody runs it.

    Raises `ServersUnavailable`, or the failure that kept it from starting.
    """
    global _use
    with _turn:
        if _use is None:
            at = places.make(os.environ)
            _use = (at.local / USERS).open("a")
            # Waits while a keeper that nobody needed any more is ending.
            fcntl.flock(_use, fcntl.LOCK_SH)
            atexit.register(_leave, at.local / USERS)
        until = time.monotonic() + START_S
        while True:
            state = running_state()
            if state and state.get("DATABASE_URL"):
                return str(state["DATABASE_URL"])
            if time.monotonic() > until:
                raise ServersUnavailable(
                    "a run of this checkout has begun but its database is not there yet: try again later"
                )
            if _start_keeper() == BUSY:
                time.sleep(RETRY_S)


def _start_keeper() -> str:
    with subprocess.Popen(
        [sys.executable, "-m", "config.local.keeper"],
        cwd=places.CHECKOUT,
        env=environment.cleaned(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as starter:
        assert starter.stdout is not None
        said = starter.stdout.read().decode("utf-8", "replace").strip()
    if said not in (READY, BUSY):
        raise ServersUnavailable(
            said.splitlines()[-1] if said else "the database of this checkout did not start"
        )
    return said


def _leave(path: Path) -> None:
    """Give up our share of the database, and wait for its end where nobody else has one."""
    global _use
    state = running_state()
    if _use is not None:
        _use.close()
        _use = None
    if not state or not state.get("is_keeper"):
        return
    keeper = processes.Identity(pid=state["pid"], started=state["started"], command=state["command"])
    until = time.monotonic() + END_S
    while keeper.is_running() and time.monotonic() < until and not _is_shared(path):
        time.sleep(processes.POLL_S)


def _is_shared(path: Path) -> bool:
    """Whether other commands use the database. The keeper's own lock, taken at its end, is no use."""
    with path.open("a") as probe:
        for kind, answer in ((fcntl.LOCK_EX, False), (fcntl.LOCK_SH, True)):
            try:
                fcntl.flock(probe, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return answer
    return False
