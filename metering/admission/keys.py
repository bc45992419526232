"""The holder of an API key."""

from __future__ import annotations

import functools
import hmac
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from metering import issuing
from metering.errands import Errand
from metering.models import ApiKey
from metering.recent import Recent

# How long a revoked key may go on working in a process that saw it just before.
CREDENTIAL_TTL_S = 2.0
USED_REST_S = 5.0
USED_RESOLUTION = timedelta(minutes=1)


class AdmissionRefused(Exception):
    """The request may not be made; the message says why, and what to do."""


class KeyUnknown(AdmissionRefused):
    """There is no API key in the request, or none that is valid."""


class ScopeMissing(AdmissionRefused):
    """The key is valid, but it was made for other things."""


@dataclass(frozen=True, slots=True)
class Key:
    """A valid API key, as the database had it at most two seconds ago."""

    id: int
    key_hash: bytes
    scopes: tuple[str, ...]
    events_per_second_max: int | None

    def require(self, scope: str) -> None:
        """Raises `ScopeMissing` where the key was not made for this."""
        if scope not in self.scopes:
            raise ScopeMissing(
                f"The API key lacks the scope {scope!r}; it has {', '.join(self.scopes)}. "
                f"Use a key that was made with --scope {scope}."
            )


def of(*, authorization: str, at: datetime) -> Key:
    """The key in a header ``Authorization: Bearer mb_...``, which counts as used now.

    Raises `KeyUnknown`.
    """
    kind, _, text = authorization.strip().partition(" ")
    text = text.strip()
    if kind.lower() != "bearer" or not text:
        raise KeyUnknown("Send an API key in the header: Authorization: Bearer mb_...")
    key = _found(text)
    if key is None:
        raise KeyUnknown("The API key is unknown or was revoked. Check that it was copied whole.")
    _note_use(key.id, at)
    return key


def _found(text: str) -> Key | None:
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != "mb" or not text.isascii():
        return None
    key = _keys.get(parts[1])
    if key is None or not hmac.compare_digest(key.key_hash, _hash(text)):
        return None
    return key


# A sender comes with the same key each time, and the hash costs more than most else of a request.
_hash = functools.lru_cache(maxsize=1_000)(issuing.api_key_hash)


def _load(prefix: str) -> Key | None:
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()  # outside of Django's request cycle nobody else does
    row = ApiKey.objects.filter(prefix=prefix, revoked_at=None).first()
    if row is None:
        return None
    return Key(row.pk, bytes(row.key_hash), tuple(row.scopes), row.events_per_second_max)


_keys: Recent[str, Key] = Recent(_load, ttl_s=CREDENTIAL_TTL_S)

# Keys that were used and when last, still to be written.
_used: dict[int, datetime] = {}
_noting = threading.Lock()


def _note_use(key_id: int, at: datetime) -> None:
    with _noting:
        _used[key_id] = at
    _write_uses.ask()


def _write() -> None:
    """Writes when keys were last used, to the minute: a row that was written within it stays as it is."""
    with _noting:
        used = dict(_used)
        _used.clear()
    try:
        for key_id, at in sorted(used.items()):
            stale = Q(last_used_at=None) | Q(last_used_at__lt=at - USED_RESOLUTION)
            ApiKey.objects.filter(stale, pk=key_id).update(last_used_at=at)
    finally:
        connection.close()  # this thread's own, which would lie idle most of the time


_write_uses = Errand(_write, name="write-last-used", rest_s=USED_REST_S)
