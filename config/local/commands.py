"""``python3 -m config.local install | demo | up | test | lint | bench | compat [ARGUMENT ...]``.

Further arguments go to the program behind the command: to pytest, ``config.demo``, ``tests.bench``,
``tests.compat``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

from config.local import failures, installing, output, places, programs, running, servers, sockets

ENDS_WITH_PARENT = "--ends-with-parent"
# More only wait for each other: every test process has a database, a web process and workers.
TEST_PROCESSES_MAX = 4
LINTS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
)


class ToolsMissing(failures.CannotRun):
    """A program that requirements-dev.txt names is not in .venv."""


def main(arguments: list[str]) -> int:
    """Run one command; its exit code. A failure that can be told is told in one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if arguments[:1] == [ENDS_WITH_PARENT]:
        running.end_with_parent()
        arguments = arguments[1:]
    if not arguments or arguments[0] not in COMMANDS:
        told = f"there is no command {arguments[0]!r}" if arguments else "a command is missing"
        print(f"meterbook: {told}; the commands are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except failures.CannotRun as failure:
        return _tell(str(failure))
    except running.Stopped as stopped:
        return 128 + stopped.number
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        return _tell("nobody reads the output any more")
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _tell(f"{error.strerror or error}{where}")


def install(_arguments: Sequence[str]) -> int:
    """Make .venv and install what the product runs on."""
    installing.ensure(has_dev=False)
    print(f"Installed: {places.VENV}")
    return 0


def up(_arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C: the servers, web, worker and beat, their output with their names before it."""
    with _run("run", "make up") as run:
        # Not before: a run that was killed may still be giving its port back.
        port = sockets.chosen_port(os.environ)
        installing.ensure(has_dev=False)
        env = servers.start(run)
        servers.publish(run, env)
        programs.prepare(run, env)
        programs.start_web(run, env, port=port, is_shown=True)
        programs.start_worker(run, env, is_shown=True)
        programs.start_beat(run, env, is_shown=True)
        programs.wait_until_healthy(run, port)
        url = f"http://{sockets.HOST}:{port}"
        servers.publish(run, env, METERBOOK_URL=url)
        output.say(
            f"\nThe console: {url}/\nLogin: admin, password: {env['CONSOLE_PASSWORD']}\nCtrl-C ends it.\n"
        )
        try:
            while True:
                run.check()
                time.sleep(0.2)
        except running.Stopped:
            output.say("Stopping worker, web, Valkey and PostgreSQL.")
    return 0


def demo(arguments: Sequence[str]) -> int:
    """The whole path with real traces: see ``config.demo``. The exit code is the demo's."""
    with _run("run", "make demo") as run:
        installing.ensure(has_dev=False)
        env = servers.start(run)
        servers.publish(run, env)
        # Before the first table is made: the database may be somebody else's.
        program = [str(places.PYTHON), "-m", "config.demo"]
        if refused := run.call(command=[*program, "--check"], env=env):
            return refused
        programs.prepare(run, env)
        port = sockets.free_port()
        programs.start_web(run, env, port=port, is_shown=False)
        programs.start_worker(run, env, is_shown=False)
        programs.wait_until_healthy(run, port)
        env["METERBOOK_URL"] = f"http://{sockets.HOST}:{port}"
        servers.publish(run, env, METERBOOK_URL=env["METERBOOK_URL"])
        return run.call(command=[*program, *arguments], env=env)


def test(arguments: Sequence[str]) -> int:
    """pytest with ``arguments``, on servers of its own; its output is the last that is printed."""
    with _run("test", "make test") as run:
        installing.ensure(has_dev=True)
        env = servers.start(run)
        command = [str(places.PYTHON), "-m", "pytest", *_in_parallel(arguments), *arguments]
        return run.call(command=command, env=env, role="tests", stdin=None)


def _in_parallel(arguments: Sequence[str]) -> list[str]:
    """One process of tests for each core, each with a database of its own; fewer where arguments say so."""
    if any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments):
        return []
    return ["-n", str(min(os.cpu_count() or 1, TEST_PROCESSES_MAX)), "--dist", "worksteal"]


def lint(_arguments: Sequence[str]) -> int:
    """ruff, mypy and import-linter, all of them even where one complains. Starts no server."""
    installing.ensure(has_dev=True)
    at = places.make(os.environ)
    worst = 0
    with running.Run(purpose="lint", title="make lint", at=at, wait_s=running.CLEARING_S) as run:
        env = servers.without(run)
        for tool, *options in LINTS:
            program = places.VENV / "bin" / tool
            if not program.is_file():
                raise ToolsMissing(f"{program} is missing: remove {places.VENV} and try again")
            output.say(f"$ {' '.join([tool, *options])}")
            worst = max(worst, abs(run.call(command=[str(program), *options], env=env)))
    return min(worst, 1)


def bench(arguments: Sequence[str]) -> int:
    """The measurements of ``tests.bench``, on servers of their own that really write to the disk."""
    if not programs.has_package(places.CHECKOUT, "tests.bench"):
        print("meterbook: this checkout has no measurements yet (no tests/bench)", file=sys.stderr)
        return 2
    with _run("bench", "make bench") as run:
        installing.ensure(has_dev=True)
        env = servers.start(run)
        return run.call(command=[str(places.PYTHON), "-m", "tests.bench", *arguments], env=env)


def compat(arguments: Sequence[str]) -> int:
    """Senders of others, unmodified, against a web process of their own: see ``tests.compat``."""
    with _run("compat", "make compat") as run:
        installing.ensure(has_dev=False)
        env = servers.start(run)
        programs.prepare(run, env)
        port = sockets.free_port()
        programs.start_web(run, env, port=port, is_shown=False)
        programs.wait_until_healthy(run, port)
        env["METERBOOK_URL"] = f"http://{sockets.HOST}:{port}"
        return run.call(command=[str(places.PYTHON), "-m", "tests.compat", *arguments], env=env)


COMMANDS = {
    "install": install,
    "demo": demo,
    "up": up,
    "test": test,
    "lint": lint,
    "bench": bench,
    "compat": compat,
}


def _run(purpose: str, title: str) -> running.Run:
    return running.Run(purpose=purpose, title=title, at=places.make(os.environ))


def _tell(text: str) -> int:
    print(f"meterbook: {' '.join(text.split())}", file=sys.stderr, flush=True)
    return 1
