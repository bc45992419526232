"""Meterbook's own programs as a run starts them: migrations, web, worker, beat."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from config.local import failures, output, places, processes, running, sockets

HEALTHY_S = 90.0


class WebDidNotAnswer(failures.CannotRun):
    """The web process runs, but GET /healthz never answered 200."""


def manage(run: running.Run, env: Mapping[str, str], *command: str) -> None:
    """Run a command of manage.py to its end; raises `running.CommandFailed`."""
    code = run.call(command=[str(places.PYTHON), "manage.py", *command], env=env)
    if code != 0:
        raise running.CommandFailed(f"`manage.py {command[0]}` failed with exit code {code}, see above")


def prepare(run: running.Run, env: Mapping[str, str]) -> None:
    """Bring the schema up to date and see that the console has its user ``admin``."""
    manage(run, env, "migrate", "--no-input", "--verbosity", "0")
    manage(run, env, "ensure_admin")


def start_web(run: running.Run, env: Mapping[str, str], *, port: int, is_shown: bool) -> processes.Child:
    """Start the web process at ``port``; see `wait_until_healthy`."""
    threads = env.get("WEB_THREADS", "").strip() or "64"
    command = ["-m", "granian", "--interface", "wsgi", "--host", sockets.HOST, "--port", str(port), "--no-ws"]
    command += ["--workers", "1", "--blocking-threads", threads, "--workers-kill-timeout", "8"]
    return _start(run, "web", [*command, "config.wsgi:application"], env, is_shown=is_shown)


def start_worker(run: running.Run, env: Mapping[str, str], *, is_shown: bool) -> processes.Child:
    """Start a Celery worker."""
    concurrency = env.get("WORKER_CONCURRENCY", "").strip() or "2"
    command = [
        "-m",
        "celery",
        "-A",
        "config.celery",
        "worker",
        "--concurrency",
        concurrency,
        "--loglevel",
        "INFO",
    ]
    return _start(run, "worker", command, env, is_shown=is_shown)


def start_beat(run: running.Run, env: Mapping[str, str], *, is_shown: bool) -> processes.Child:
    """Start Celery's clock."""
    schedule = run.places.local / "celerybeat-schedule"
    command = ["-m", "celery", "-A", "config.celery", "beat", "--schedule", str(schedule), "--pidfile", ""]
    return _start(run, "beat", [*command, "--loglevel", "INFO"], env, is_shown=is_shown)


def wait_until_healthy(run: running.Run, port: int) -> None:
    """Return when GET /healthz answers 200; raises `WebDidNotAnswer`, `running.ChildEnded`."""
    until = time.monotonic() + HEALTHY_S
    while (status := sockets.status_of(port, "/healthz")) != 200:
        run.check()
        if time.monotonic() > until:
            told = f"with {status}" if status else "not at all"
            raise WebDidNotAnswer(f"the web process answered GET /healthz {told} for {HEALTHY_S:.0f} seconds")
        time.sleep(0.1)


def _start(
    run: running.Run, role: str, command: list[str], env: Mapping[str, str], *, is_shown: bool
) -> processes.Child:
    arguments = [str(places.PYTHON), *command]
    if not is_shown:
        with run.log(role) as log:
            return run.start(role=role, command=arguments, env=env, output=log)
    env = {**env, "PYTHONUNBUFFERED": "1"}
    child = run.start(role=role, command=arguments, env=env, output=subprocess.PIPE)
    assert child.popen.stdout is not None
    output.follow(child.popen.stdout, role)
    return child


def has_package(folder: Path, name: str) -> bool:
    """Whether ``python -m name`` would find a module below ``folder``."""
    path = folder.joinpath(*name.split("."))
    return (path / "__main__.py").is_file() or path.with_suffix(".py").is_file()
