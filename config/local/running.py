"""One run of this checkout: its lock, its processes, what it tells others of itself, and its orderly end."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

from config.local import environment, failures, guard, places, processes

# How long a run that was killed may take to clear away before the next one gives up.
CLEARING_S = 45.0


class RunIsGoingOn(failures.CannotRun):
    """Another run with the same purpose holds this checkout."""


class ChildEnded(failures.CannotRun):
    """A process that the run needs ended by itself."""


class CommandFailed(failures.CannotRun):
    """A step of the run ended with an error."""


class Stopped(BaseException):
    """A signal asked the run to end. Not an Exception: nothing on the way may take it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Run:
    """A context: inside it the lock of ``purpose`` is ours, at its end every process started in it is gone.

    ``run`` (of demo and up), ``test`` and ``bench`` are purposes: each has servers and data of its own.
    Entering raises `RunIsGoingOn`.
    """

    def __init__(self, *, purpose: str, title: str, at: places.Places, wait_s: float = 0.0) -> None:
        self.purpose = purpose
        self.title = title
        self.places = at
        self.mark = at.mark(purpose)
        self._wait_s = wait_s
        self._children: list[processes.Child] = []
        self._lock: IO[str] | None = None
        self._reaper: subprocess.Popen[bytes] | None = None
        self._is_hurried = False
        self._logs: dict[str, Path] = {}

    def __enter__(self) -> Self:
        self._lock = _take_lock(self.places.local / f"{self.purpose}.lock", self.title, self._wait_s)
        _listen(self._raise_stopped)
        self._state.unlink(missing_ok=True)
        processes.sweep(mark=self.mark, store=self.places.store, purpose=self.purpose, grace_s=5.0)
        places.forget_store_of_another_life(self.places, self.purpose)
        self._reaper = self._start_reaper()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _listen(self._hurry)
        self._state.unlink(missing_ok=True)
        order = list(processes.ROLES)
        for child in sorted(self._children, key=lambda one: order.index(one.name)):
            processes.stop(child, is_hurried=lambda: self._is_hurried)
        if self._reaper and self._reaper.stdin:
            self._reaper.stdin.close()
            self._reaper.wait()
        if self._lock:
            self._lock.truncate(0)
            self._lock.close()

    def start(
        self, *, role: str, command: Sequence[str], cwd: Path = places.CHECKOUT, **more: Any
    ) -> processes.Child:
        """`processes.start`, remembered, to be ended with the run."""
        child = processes.start(role=role, command=command, cwd=cwd, mark=self.mark, **more)
        self._children.append(child)
        return child

    def drop(self, child: processes.Child) -> None:
        """End one child before the others."""
        processes.stop(child)
        self._children.remove(child)

    def call(
        self, *, command: Sequence[str], env: Mapping[str, str], role: str = "command", **more: Any
    ) -> int:
        """Run a command to its end and return its exit code; 128 and the signal's number where one ended it.

        Raises `ChildEnded` when another process of the run ends before it.
        """
        child = self.start(role=role, command=command, env=env, **more)
        while child.popen.poll() is None:
            self.check(but=child)
            time.sleep(processes.POLL_S)
        self._children.remove(child)
        code = child.popen.returncode
        return code if code >= 0 else 128 - code

    def check(self, *, but: processes.Child | None = None) -> None:
        """Raise `ChildEnded` when a process of the run has ended, naming it."""
        for child in self._children:
            code = child.popen.poll()
            if child is not but and code is not None:
                how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
                raise ChildEnded(
                    f"{child.name} ended {how}{self._log_of(child)}; everything else was stopped"
                )

    def log(self, name: str) -> IO[bytes]:
        """A new log file in ``.local/logs`` for one child."""
        self._logs[name] = self.places.logs / f"{self.purpose}-{name}.log"
        return self._logs[name].open("wb")

    def publish(self, **addresses: str) -> None:
        """Tell other commands of this checkout where the servers of this run are (see `attach`)."""
        oneself = processes.identity(os.getpid())
        state = {"pid": os.getpid(), "started": oneself.started if oneself else "", **addresses}
        state["command"] = oneself.command if oneself else ""
        places.write_private(self._state, json.dumps(state, indent=1) + "\n")

    @property
    def _state(self) -> Path:
        return self.places.local / f"{self.purpose}.json"

    def _log_of(self, child: processes.Child) -> str:
        return f", see {self._logs[child.name]}" if child.name in self._logs else ""

    def _start_reaper(self) -> subprocess.Popen[bytes]:
        assert self._lock is not None
        return subprocess.Popen(
            [sys.executable, "-m", "config.local.reaper", self.mark, str(self.places.store), self.purpose],
            stdin=subprocess.PIPE,
            cwd=places.CHECKOUT,
            env=environment.cleaned(os.environ),
            start_new_session=True,
            # It holds the lock too: while it clears away after a run that was killed, no other begins.
            pass_fds=[self._lock.fileno()],
        )

    def _raise_stopped(self, number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    def _hurry(self, _number: int, _frame: FrameType | None) -> None:
        self._is_hurried = True


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the program that started this one ends, even by SIGKILL."""
    guard.die_with_parent(os.getppid(), signal.SIGTERM)


def _listen(listener: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue  # nohup
        signal.signal(number, listener)


def _take_lock(path: Path, title: str, wait_s: float) -> IO[str]:
    try:
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise places.FolderCannotBeWritten(
            f"{path} cannot be written ({error.strerror}): name a folder of your own with LOCAL_DIR=..."
        ) from error
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = _holder(path)
            limit_s = wait_s if holder else CLEARING_S
            if time.monotonic() - began > limit_s:
                file.close()
                raise RunIsGoingOn(_going_on(holder)) from None
            time.sleep(0.1)
    oneself = processes.identity(os.getpid())
    file.truncate(0)
    file.write(
        json.dumps({"title": title, "pid": os.getpid(), "started": oneself.started if oneself else ""})
    )
    file.flush()
    return file


def _holder(path: Path) -> dict[str, Any] | None:
    """Who wrote itself into the lock and still runs; None for a run that was killed and is cleared away."""
    try:
        holder: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        now = processes.identity(holder["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return holder if now and now.started == holder["started"] else None


def _going_on(holder: dict[str, Any] | None) -> str:
    who = f"{holder['title']}, process {holder['pid']}" if holder else "what is left of an earlier one"
    return f"a run is already going on in this checkout ({who}): wait for it, or end it first"
