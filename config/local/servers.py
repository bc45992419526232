"""PostgreSQL and Valkey for a run: those that the user named, else embedded ones."""

from __future__ import annotations

import os

from config.local import credentials, environment, failures, postgres, running, sockets, valkey


class PlatformUnknown(failures.CannotRun):
    """Embedded servers are started on Linux only."""


def start(run: running.Run, *, is_database_only: bool = False) -> dict[str, str]:
    """Start what DATABASE_URL and REDIS_URL do not give; the environment for the programs of the run.

    The secrets of the checkout stand in where the environment has none. ``is_database_only``: no Valkey.
    """
    env = without(run)
    if not env.get("DATABASE_URL", "").strip():
        _check_platform()
        env["DATABASE_URL"] = postgres.start(run)
    if not is_database_only and not env.get("REDIS_URL", "").strip():
        _check_platform()
        env["REDIS_URL"] = valkey.start(run)
    return env


def without(run: running.Run) -> dict[str, str]:
    """The environment of the run's programs where no server is wanted."""
    env = environment.cleaned(os.environ)
    own = credentials.of_checkout(run.places.local)
    return env | {name: own[name] for name in own if not env.get(name, "").strip()}


def publish(run: running.Run, env: dict[str, str], **more: str) -> None:
    """Tell the other commands of this checkout where the servers are."""
    named = {name: env[name] for name in ("DATABASE_URL", "REDIS_URL") if env.get(name)}
    run.publish(host=sockets.HOST, **named, **more)


def _check_platform() -> None:
    if not os.path.isdir("/proc/self"):
        raise PlatformUnknown("the embedded servers run on Linux only: set DATABASE_URL and REDIS_URL")
