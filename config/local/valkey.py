"""Valkey (or Redis) of this checkout: the broker of one machine. It keeps nothing on disk."""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from config.local import environment, failures, places, processes, running, sockets, wheels

OLDEST = (6, 2)
START_S = 30.0
TRIES = 3


class ValkeyDidNotStart(failures.CannotRun):
    """Valkey refused to start."""


def start(run: running.Run) -> str:
    """Start the Valkey of this run and return its address (REDIS_URL)."""
    program = _program(run.places)
    folder = run.places.store / f"valkey-{run.purpose}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if run.places.owner:
        shutil.chown(folder, run.places.owner.uid, run.places.owner.gid)
    secret = secrets.token_urlsafe(24)
    for _attempt in range(TRIES):
        port = sockets.free_port()
        if _start(run, program, folder, port, secret):
            return f"redis://:{secret}@{sockets.HOST}:{port}/0"
    log = run.places.logs / f"{run.purpose}-valkey.log"
    raise ValkeyDidNotStart(f"{program.name} did not start, see {log}")


def _program(at: places.Places) -> Path:
    if not wheels.are_forced():
        for name in ("redis-server", "valkey-server"):
            found = shutil.which(name)
            if found and _version(Path(found), at) >= OLDEST:
                return Path(found)
    return wheels.valkey(at)


def _version(program: Path, at: places.Places) -> tuple[int, int]:
    """Its version as its later owner can ask for it; (0, 0) where that user cannot even run it."""
    who = {"user": at.owner.uid, "group": at.owner.gid, "extra_groups": []} if at.owner else {}
    try:
        said = subprocess.run(
            [program, "--version"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd="/",
            env=environment.of_server(),
            timeout=20,
            check=False,
            **who,  # type: ignore[call-overload]
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    match = re.search(r"v=(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _start(run: running.Run, program: Path, folder: Path, port: int, secret: str) -> bool:
    """Whether it answers at ``port``. Its settings go through standard input: ps shows no password."""
    settings = (
        f'port {port}\nbind {sockets.HOST}\nsave ""\nappendonly no\n'
        f"requirepass {secret}\nmaxmemory-policy noeviction\ndaemonize no\n"
    )
    with run.log("valkey") as log, tempfile.TemporaryFile() as file:
        file.write(settings.encode())
        file.seek(0)
        child = run.start(
            role="valkey",
            command=[str(program), "-"],
            env=environment.of_server(),
            cwd=folder,
            owner=run.places.owner,
            stdin=file,
            output=log,
        )
    until = time.monotonic() + START_S
    while time.monotonic() < until and child.popen.poll() is None:
        if _answers(port, secret):
            return True
        time.sleep(processes.POLL_S)
    run.drop(child)
    return False


def _answers(port: int, secret: str) -> bool:
    try:
        with socket.create_connection((sockets.HOST, port), timeout=2) as connection:
            connection.sendall(f"AUTH {secret}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\r\n") < 2:
                part = connection.recv(100)
                if not part:
                    return False
                said += part
            return said == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
