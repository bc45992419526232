"""The processes of a run: starting them, knowing them again, ending them so that none stays behind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from config.local import environment, places

GUARD = Path(__file__).resolve().with_name("guard.py")
POLL_S = 0.05
KILL_WAIT_S = 10.0


@dataclasses.dataclass(frozen=True)
class Role:
    """How one kind of process is ended: a signal, and how long it may take before it is killed."""

    name: str
    stop_signal: signal.Signals
    grace_s: float


# In the order in which a run ends them: nobody loses the server that it still writes to.
ROLES = {
    role.name: role
    for role in (
        Role("command", signal.SIGTERM, 10.0),
        Role("tests", signal.SIGINT, 20.0),
        Role("beat", signal.SIGTERM, 5.0),
        Role("worker", signal.SIGTERM, 20.0),
        Role("web", signal.SIGTERM, 10.0),
        Role("valkey", signal.SIGTERM, 5.0),
        Role("postgres", signal.SIGINT, 60.0),
    )
}


# The file names of the servers' programs (Debian's redis-server is a link to redis-check-rdb).
PROGRAMS = {"postgres": ("postgres",), "valkey": ("valkey", "redis")}


@dataclasses.dataclass(frozen=True)
class Identity:
    """A process that cannot be taken for a later one with the same number."""

    pid: int
    started: str
    command: str

    def is_running(self) -> bool:
        """Whether this very process still runs (one that only waits to be collected does not)."""
        return identity(self.pid) == self


@dataclasses.dataclass(frozen=True)
class Child:
    """A process started by `start`."""

    role: Role
    popen: subprocess.Popen[bytes]

    @property
    def name(self) -> str:
        return self.role.name


def start(
    *,
    role: str,
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    mark: str,
    owner: places.Owner | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    output: int | IO[bytes] | None = None,
) -> Child:
    """Start ``command`` in a session of its own, to be ended when this process ends, however it ends.

    Call it from a thread that lives as long as the child shall. ``output`` takes standard output and error;
    None means ours.
    """
    kind = ROLES[role]
    popen = subprocess.Popen(
        guarded(command, stop_signal=kind.stop_signal, owner=owner),
        cwd=cwd,
        env={**env, environment.RUN_MARK: mark, environment.ROLE: role},
        stdin=stdin,
        stdout=output,
        stderr=output if output is None else subprocess.STDOUT,
        start_new_session=True,
    )
    return Child(role=kind, popen=popen)


def guarded(
    command: Sequence[str], *, stop_signal: signal.Signals, owner: places.Owner | None = None
) -> list[str]:
    """``command`` as it is started to get ``stop_signal`` when this process ends (see `guard`)."""
    user = f"{owner.uid}:{owner.gid}" if owner else "-"
    return [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), str(int(stop_signal)), user, *command]


def stop(child: Child, *, is_hurried: Callable[[], bool] = lambda: False) -> None:
    """End a child and its session: with its signal; with SIGKILL after its time, or once it is hurried."""
    if child.popen.poll() is None and not is_hurried():
        _signal(child.popen.pid, child.role.stop_signal)
        _wait(child.popen, child.role.grace_s, is_hurried)
    if child.popen.poll() is None:
        # An immediate shutdown is enough for PostgreSQL, and leaves no shared memory behind.
        _signal(child.popen.pid, signal.SIGQUIT if child.name == "postgres" else signal.SIGKILL)
        _wait(child.popen, KILL_WAIT_S, lambda: False)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.popen.pid, signal.SIGKILL)
    child.popen.wait()


def sweep(*, mark: str, store: Path, purpose: str, grace_s: float | None = None) -> list[int]:
    """End every process of the run ``mark`` that is still there, in the order of `ROLES`; their numbers.

    Finds our own programs by the mark in their environment, and the servers also by the folder they stand in
    (they write over their environment). ``grace_s`` shortens the time that each role has.
    """
    ended: list[int] = []
    marked = f"{environment.RUN_MARK}={mark}".encode()
    if not any(marked in _environment(pid) or _stands_in_run(pid, store, purpose) for pid in _all()):
        return ended  # one look at each process is enough where, as mostly, there is nothing to do
    for role in ROLES.values():
        found = _of_role(role.name, mark=mark, store=store, purpose=purpose)
        if not found:
            continue
        ended += [one.pid for one in found]
        pids = {one.pid for one in found}
        for leader in (one for one in found if _parent(one.pid) not in pids):
            _signal(leader.pid, role.stop_signal)
        limit = role.grace_s if grace_s is None or role.name == "postgres" else min(grace_s, role.grace_s)
        if not _wait_gone(found, limit):
            for one in _of_role(role.name, mark=mark, store=store, purpose=purpose):
                _signal(one.pid, signal.SIGKILL)
            _wait_gone(found, KILL_WAIT_S)
    return ended


def identity(pid: int) -> Identity | None:
    """Who has the number ``pid`` now, or None."""
    try:
        state, started = _stat(pid)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return None
    return None if state in "ZX" else Identity(pid=pid, started=started, command=command.strip())


def began_at_s(one: Identity) -> float:
    """When the process began, in seconds since 1970, to about a second."""
    boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    return int(boot.split()[1]) + int(one.started) / os.sysconf("SC_CLK_TCK")


def standing_in(folder: Path, role: str) -> list[int]:
    """The numbers of the servers of ``role`` whose working directory is ``folder``."""
    return [pid for pid in _all() if _folder(pid) == str(folder) and _is_program_of(role, pid)]


def ancestors() -> set[int]:
    """The numbers of this process and of all that started it."""
    chain, pid = set[int](), os.getpid()
    while pid > 0 and pid not in chain:
        chain.add(pid)
        pid = _parent(pid)
    return chain


def _of_role(role: str, *, mark: str, store: Path, purpose: str) -> list[Identity]:
    wanted = {f"{environment.RUN_MARK}={mark}".encode(), f"{environment.ROLE}={role}".encode()}
    own = ancestors()
    pids = [pid for pid in _all() if wanted <= _environment(pid) or _is_server_of(role, pid, store, purpose)]
    return [one for pid in pids if pid not in own and (one := identity(pid)) is not None]


def _stands_in_run(pid: int, store: Path, purpose: str) -> bool:
    return any(_is_server_of(role, pid, store, purpose) for role in PROGRAMS)


def _is_server_of(role: str, pid: int, store: Path, purpose: str) -> bool:
    folder = Path(_folder(pid).removesuffix(" (deleted)"))
    is_in_its_folder = (
        folder.parent == store and folder.name.startswith(role) and folder.name.endswith(f"-{purpose}")
    )
    return is_in_its_folder and _is_program_of(role, pid)


def _is_program_of(role: str, pid: int) -> bool:
    """Whether it runs the server's own program: a person's shell may stand in the same folder."""
    try:
        program = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return False
    return program.startswith(PROGRAMS.get(role, ()))


def _all() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except FileNotFoundError:
        return []


def _stat(pid: int) -> tuple[str, str]:
    # The name of the program stands in brackets and may itself hold brackets and blanks.
    fields = (
        Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    )
    return fields[0], fields[19]


def _parent(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[1])


def _folder(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def _environment(pid: int) -> set[bytes]:
    try:
        return set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except OSError:
        return set()


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _wait(popen: subprocess.Popen[bytes], limit_s: float, is_hurried: Callable[[], bool]) -> None:
    until = time.monotonic() + limit_s
    while popen.poll() is None and time.monotonic() < until and not is_hurried():
        time.sleep(POLL_S)


def _wait_gone(found: Sequence[Identity], limit_s: float) -> bool:
    until = time.monotonic() + limit_s
    # PostgreSQL's processes rewrite their command lines: number and start must do.
    while any((now := identity(one.pid)) and now.started == one.started for one in found):
        if time.monotonic() >= until:
            return False
        time.sleep(POLL_S)
    return True
