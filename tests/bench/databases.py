"""The databases of a run, made beside the one of DATABASE_URL, on a server that writes to the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")

# Two dimensions each, as a seller of model calls would define them.
DIMENSIONS = {"model": "model", "provider": "provider"}
CALL = {"event_type": "llm.call", "dimensions": DIMENSIONS}
METERS: list[dict[str, Any]] = [
    {"slug": "calls", "name": "Calls", "unit": "call", "aggregation": "COUNT", **CALL},
    {
        "slug": "input_tokens",
        "name": "Input tokens",
        "unit": "token",
        "aggregation": "SUM",
        "value": "input_tokens",
        **CALL,
    },
    {
        "slug": "output_tokens",
        "name": "Output tokens",
        "unit": "token",
        "aggregation": "SUM",
        "value": "output_tokens",
        **CALL,
    },
    {
        "slug": "run_time",
        "name": "Run time",
        "unit": "ms",
        "aggregation": "SUM",
        "value": "duration_ms",
        **CALL,
    },
]
_AT = datetime(2025, 1, 1, tzinfo=UTC)
_KEPT = ("django_migrations", "django_content_type", "auth_permission")


class ServerUnfit(Exception):
    """A server on which the figures would not mean what they say; the message says why."""


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database with the meters of this module. ``url``: as DATABASE_URL has it."""

    url: str

    @property
    def name(self) -> str:
        return urlsplit(self.url).path.lstrip("/")

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of its own, on which every statement commits and tables can be emptied."""
        return psycopg.connect(
            self.url, autocommit=True, options="-c meterbook.allow_truncate=on -c timezone=UTC"
        )

    def use(self) -> None:
        """Makes it the one that the product uses in this process."""
        connection.close()
        connection.settings_dict["NAME"] = self.name

    def empty(self) -> None:
        """Removes every row but those that migrations made, and defines the meters again."""
        from metering import defining

        self.use()
        with self.connect() as direct:
            rows = direct.execute(
                "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition"
            ).fetchall()
            names = [sql.Identifier(name) for (name,) in rows if name not in _KEPT]
            direct.execute(sql.SQL("truncate {} restart identity cascade").format(sql.SQL(", ").join(names)))
        defining.apply(document=METERS, at=_AT)


def check(url: str) -> str:
    """The server's version. Raises `ServerUnfit` where a commit does not wait for the disk."""
    with psycopg.connect(url) as direct:
        for name in SETTINGS:
            row = direct.execute("select current_setting(%s)", [name]).fetchone()
            if row is None or row[0] != "on":
                raise ServerUnfit(f"{name} is not on at this server: its speed would be that of memory")
        version = direct.execute("show server_version").fetchone()
    assert version is not None
    return str(version[0])


def made(url: str, *, suffix: str, is_kept: bool) -> Database:
    """The database named like that of ``url`` with a suffix, migrated; new unless it ``is_kept``."""
    parts = urlsplit(url)
    name = parts.path.lstrip("/") + suffix
    found = Database(urlunsplit(parts._replace(path="/" + quote(name, safe=""))))
    with psycopg.connect(url, autocommit=True) as direct:
        identifier = sql.Identifier(name)
        if not is_kept:
            direct.execute(sql.SQL("drop database if exists {} with (force)").format(identifier))
        is_there = direct.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if not is_there:
            direct.execute(sql.SQL("create database {} template template0").format(identifier))
    found.use()
    call_command("migrate", verbosity=0, interactive=False)
    if not is_there:
        found.empty()
    return found


@contextmanager
def dropped_at_end(url: str, database: Database) -> Iterator[None]:
    """Drops a database when the context ends."""
    try:
        yield
    finally:
        connection.close()
        with psycopg.connect(url, autocommit=True) as direct:
            identifier = sql.Identifier(database.name)
            direct.execute(sql.SQL("drop database if exists {} with (force)").format(identifier))
