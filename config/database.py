"""From a database address to Django's settings of a connection."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

OPTIONS = {
    "connect_timeout": 5,
    "application_name": "meterbook",
    # A statement that waits for a lock longer than this is a fault to be seen, not to be waited out.
    "options": "-c timezone=UTC -c lock_timeout=30000",
}


def connection(*, url: str, max_age_s: int) -> dict[str, Any]:
    """Django's DATABASES entry for ``postgresql://user:password@host:port/name?sslmode=require``.

    Query parameters go to libpq as they are. ``max_age_s``: how long an idle connection is kept.
    """
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": max_age_s,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**OPTIONS, **dict(parse_qsl(parts.query))},
        "TEST": {"TEMPLATE": "template0"},
    }


def embedded(*, max_age_s: int) -> dict[str, Any]:
    """The entry for the server of this checkout, which starts at the first connection if none is running."""
    return {
        "ENGINE": "config.local.backend",
        "NAME": "meterbook",
        "CONN_MAX_AGE": max_age_s,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(OPTIONS),
        "TEST": {"TEMPLATE": "template0"},
    }
