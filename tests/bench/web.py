"""A web process as ``config.local`` starts it, for the product or for a bare callable."""

from __future__ import annotations

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from config import env
from tests.bench.shape import MeasurementWrong, Run

CHECKOUT = Path(__file__).resolve().parent.parent.parent
PRODUCT = "config.wsgi:application"
BARE = "tests.bench.baselines:bare"
THREADS = env.read(os.environ).WEB_THREADS
READY_S = 60.0
STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class Web:
    """A running web process. ``pid``: of its first process, the others are its children."""

    host: str
    port: int
    pid: int

    def memory_peak_bytes(self) -> int:
        """The most memory that its processes held so far, as the kernel counted it, added up."""
        return sum(peak_bytes(pid) for pid in [self.pid, *children(self.pid)])


@contextmanager
def running(run: Run, application: str = PRODUCT, *, database_url: str = "") -> Iterator[Web]:
    """One web process; raises `MeasurementWrong` when it does not answer."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--no-ws", "--workers", "1", "--blocking-threads", str(THREADS), application]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url or run.database.url,
        "REDIS_URL": run.broker_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        try:
            web = Web("127.0.0.1", port, process.pid)
            _wait(web, process)
            yield web
        except MeasurementWrong as error:
            log.seek(0)
            raise MeasurementWrong(f"{error}\n{log.read().decode(errors='replace')[-2000:]}") from error
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that leads a session of its own, and whatever it left behind there."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait(web: Web, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while True:
        connection = http.client.HTTPConnection(web.host, web.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        if process.poll() is not None or time.monotonic() > until:
            raise MeasurementWrong("the web process did not become ready")
        time.sleep(0.05)


def end_with_parent() -> None:
    """Run in a child before its program starts: it gets SIGTERM when this process ends, however it ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def children(pid: int) -> list[int]:
    """The ids of the processes that a process started, and of those that these did."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children(int(child))]
    return found


def peak_bytes(pid: int) -> int:
    """The most memory that a process held so far, as the kernel counted it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise MeasurementWrong(f"the kernel does not say how much memory process {pid} held")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
