"""Every environment variable that Meterbook's processes read, with its type, its default and its check.

Nothing else in the project reads ``os.environ`` for a setting of the product; ``config.local`` has its own
few variables for the machine (PORT, LOCAL_DIR, LOCAL_SERVERS).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


class EnvironmentInvalid(Exception):
    """A variable of the environment cannot be used; the message names it."""


@dataclasses.dataclass(frozen=True)
class Env:
    """The settings of one deployment."""

    DATABASE_URL: str = ""  # PostgreSQL 15 or newer; empty: the embedded server of this checkout
    REDIS_URL: str = ""  # the broker, Redis 6.2 or newer; empty: the embedded server of this checkout
    SECRET_KEY: str = ""  # signs sessions; empty: one made for this checkout
    API_KEY_PEPPER: str = ""  # keys the hashes of API keys; empty: one made for this checkout
    ALLOWED_HOSTS: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    CSRF_TRUSTED_ORIGINS: tuple[str, ...] = ()
    DEBUG: bool = False
    LOG_LEVEL: str = "INFO"
    WEB_THREADS: int = 64  # blocking threads of the web process, at most so many database connections and two
    WORKER_CONCURRENCY: int = 2
    EXPORTS_DIR: str = ""  # where the console puts exported months; empty: in this checkout's folder
    EXPORTS_BUCKET: str = ""  # an S3-compatible bucket for them instead; empty: none
    EXPORTS_PREFIX: str = ""  # what the names in the bucket begin with, such as billing/
    EXPORTS_ENDPOINT: str = ""  # the address of the storage; empty: Amazon's
    EXPORTS_REGION: str = ""
    EXPORTS_ACCESS_KEY: str = ""  # empty: what the machine has, such as a role
    EXPORTS_SECRET_KEY: str = ""
    EXPORT_DAY: int = 0  # the day on which the month before is exported by itself, 1 to 28; 0: never
    CONSOLE_PASSWORD: str = ""  # read by `ensure_admin` only

    @property
    def is_embedded(self) -> bool:
        return not self.DATABASE_URL


def read(environ: Mapping[str, str]) -> Env:
    """The settings that ``environ`` holds; raises `EnvironmentInvalid` naming the variable.

    Only set and non-empty variables count, so that a blank line in an env file means the default.
    """
    values: dict[str, object] = {}
    for field in dataclasses.fields(Env):
        text = environ.get(field.name, "").strip()
        if text:
            values[field.name] = _parse(field.name, text, field.default)
    return Env(**values)  # type: ignore[arg-type]


def _parse(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in ("0", "1", "false", "true", "no", "yes"):
            raise EnvironmentInvalid(f"{name} must be true or false, not {text!r}")
        return text.lower() in ("1", "true", "yes")
    if name == "EXPORT_DAY":
        if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 28:
            raise EnvironmentInvalid(f"EXPORT_DAY must be a day from 1 to 28, or 0 for none, not {text!r}")
        return int(text)
    if isinstance(default, int):
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1000:
            raise EnvironmentInvalid(f"{name} must be a whole number from 1 to 1000, not {text!r}")
        return int(text)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name == "LOG_LEVEL" and text not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise EnvironmentInvalid(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {text!r}")
    if name == "DATABASE_URL" and not text.startswith(("postgresql://", "postgres://")):
        # The address itself may hold a password: it is not repeated here.
        raise EnvironmentInvalid("DATABASE_URL must begin with postgresql://")
    if name == "REDIS_URL" and not text.startswith(("redis://", "rediss://", "unix://")):
        raise EnvironmentInvalid("REDIS_URL must begin with redis:// or rediss://")
    return text
