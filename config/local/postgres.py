"""PostgreSQL of this checkout: its programs, its data, starting it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from config.local import credentials, environment, failures, places, processes, running, sockets, wheels

OLDEST_MAJOR = 15
START_S = 120.0
INITDB_S = 120.0
TRIES = 3
DATABASE = USER = "meterbook"
SUPERUSER = "postgres"
SYSTEM_ROOT = Path("/usr/lib/postgresql")

_COMMON = {
    "listen_addresses": sockets.HOST,
    "unix_socket_directories": "",
    "max_connections": "150",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiling costs more than the short statements of one machine win back
    "logging_collector": "off",
}
# A lost machine loses the data of tests, and nobody minds.
_OF_TESTS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class PostgresDidNotStart(failures.CannotRun):
    """PostgreSQL refused to start or to make its data folder."""


def start(run: running.Run) -> str:
    """Start the PostgreSQL of this run and return its address (DATABASE_URL)."""
    major, programs = _programs(run.places)
    data = run.places.store / f"postgres-{major}-{run.purpose}"
    secret = credentials.password(data.with_name(f"{data.name}.password"))
    if not (data / "PG_VERSION").is_file():
        _tell_of_other_majors(run, major)
        _make(run, programs, data, secret)
    _clear_leftovers(data)
    for attempt in range(1, TRIES + 1):
        port = sockets.free_port()
        problem = _start(run, programs, data, port)
        if problem is None:
            return f"postgresql://{USER}:{secret}@{sockets.HOST}:{port}/{DATABASE}"
        is_port_taken = "could not bind" in problem or "Address already in use" in problem
        if not is_port_taken or attempt == TRIES:
            raise PostgresDidNotStart(f"PostgreSQL {major} did not start: {problem}")
    raise AssertionError("unreachable")


def _programs(at: places.Places) -> tuple[int, Path]:
    if not wheels.are_forced():
        system = [
            (int(folder.name), folder / "bin")
            for folder in SYSTEM_ROOT.glob("[0-9]*")
            if folder.name.isdigit()
            and all((folder / "bin" / name).is_file() for name in ("initdb", "postgres"))
        ]
        if system and max(system)[0] >= OLDEST_MAJOR:
            return max(system)
    return wheels.postgres(at)


def _make(run: running.Run, programs: Path, data: Path, secret: str) -> None:
    """Make the data folder, whole or not at all, with a role that is no superuser and its database."""
    fresh = run.places.store / f"making-{data.name}"
    for old in (fresh, data):
        shutil.rmtree(old, ignore_errors=True)
    owner = run.places.owner
    fresh.mkdir(mode=0o700)
    password_file = fresh.with_name(f"{fresh.name}.password")
    places.write_private(password_file, secret + "\n")
    if owner:
        os.chown(fresh, owner.uid, owner.gid)
        os.chown(password_file, owner.uid, owner.gid)
    options = [
        "--no-locale",
        "-E",
        "UTF8",
        "--auth=scram-sha-256",
        "-U",
        SUPERUSER,
        f"--pwfile={password_file}",
    ]
    try:
        durability = [] if run.purpose != "test" else ["--no-sync"]
        _run(run, [str(programs / "initdb"), "-D", str(fresh), *options, *durability], at=fresh)
        sql = (
            f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{secret}'\n"
            f"CREATE DATABASE {DATABASE} OWNER {USER}\n"
        )
        _run(run, [str(programs / "postgres"), "--single", "-D", str(fresh), "postgres"], at=fresh, text=sql)
    finally:
        password_file.unlink(missing_ok=True)
    fresh.rename(data)


def _run(run: running.Run, command: Sequence[str], *, at: Path, text: str = "") -> None:
    owner = run.places.owner
    who = {"user": owner.uid, "group": owner.gid, "extra_groups": []} if owner else {}
    mark = {environment.RUN_MARK: run.mark, environment.ROLE: "postgres"}
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=at,
            env=environment.of_server() | mark,
            timeout=INITDB_S,
            check=False,
            **who,  # type: ignore[call-overload]
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresDidNotStart(f"{command[0]} could not be run: {error}") from error
    if done.returncode != 0 or re.search(r"\b(ERROR|FATAL|PANIC):", done.stderr):
        raise PostgresDidNotStart(f"{Path(command[0]).name} failed: {_last_line(done.stderr)}")


def _start(run: running.Run, programs: Path, data: Path, port: int) -> str | None:
    """None once PostgreSQL is ready at ``port``, else the last words of its log."""
    settings = {**_COMMON, "port": str(port), **(_OF_TESTS if run.purpose == "test" else {})}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with run.log("postgres") as log:
        child = run.start(
            role="postgres",
            command=[str(programs / "postgres"), "-D", str(data), *options],
            env=environment.of_server(),
            cwd=data,
            owner=run.places.owner,
            output=log,
        )
    until = time.monotonic() + START_S
    while time.monotonic() < until and child.popen.poll() is None:
        if _is_ready(data, child.popen.pid):
            return None
        time.sleep(processes.POLL_S)
    run.drop(child)
    return _last_line((run.places.logs / f"{run.purpose}-postgres.log").read_text(errors="replace"))


def _is_ready(data: Path, pid: int) -> bool:
    # The server writes its state into the eighth line of this file, as its own pg_ctl reads it.
    lines = _lock_lines(data)
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _clear_leftovers(data: Path) -> None:
    """End what still works on ``data`` after a kill, and remove the lock file of a server that is gone.

    PostgreSQL would take any process that got the old number for itself and refuse to start. The number in
    the file counts only when command line and start time are those of the server that wrote it.
    """
    lines = _lock_lines(data)
    pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
    if pid and is_server(pid=pid, data=data, began_s=lines[2] if len(lines) > 2 else ""):
        os.kill(pid, signal.SIGQUIT)
    until = time.monotonic() + processes.KILL_WAIT_S
    while left := processes.standing_in(data, "postgres"):
        if time.monotonic() > until:
            for one in left:
                os.kill(one, signal.SIGKILL)
            until = time.monotonic() + processes.KILL_WAIT_S
        time.sleep(processes.POLL_S)
    (data / "postmaster.pid").unlink(missing_ok=True)


def is_server(*, pid: int, data: Path, began_s: str) -> bool:
    """Whether ``pid`` is the PostgreSQL that began on ``data`` at ``began_s`` (seconds since 1970)."""
    found = processes.identity(pid)
    if found is None or not began_s.strip().isdigit():
        return False
    is_ours = "postgres" in found.command and str(data) in found.command
    return is_ours and abs(processes.began_at_s(found) - int(began_s)) <= 60


def _lock_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _tell_of_other_majors(run: running.Run, major: int) -> None:
    others = [
        found.name.split("-")[1]
        for found in run.places.store.glob(f"postgres-*-{run.purpose}")
        if (found / "PG_VERSION").is_file()
    ]
    if others and run.purpose == "run":
        print(
            f"Note: PostgreSQL {major} starts with an empty database; there is data of PostgreSQL "
            f"{', '.join(sorted(others))} in {run.places.store}.",
            flush=True,
        )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\b(ERROR|FATAL|PANIC|error):", line)]
    return (telling or lines or ["it said nothing"])[-1]
