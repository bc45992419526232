"""Issues the credentials of senders: API keys and the secrets of signed webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from metering.models import ApiKey, WebhookSource

PREFIX_LENGTH = 10
SECRET_BYTES = 32
NAME_LENGTH_MAX = 200
SOURCE_NAME_LENGTH_MAX = 100
RATE_MAX = 1_000_000


class CredentialInvalid(Exception):
    """What was asked for cannot be issued; the message says why."""


def issue_api_key(
    *, name: str, scopes: Sequence[str], at: datetime, events_per_second_max: int | None = None
) -> tuple[ApiKey, str]:
    """Makes an API key; returns its row and its text ``mb_<prefix>_<secret>``, which is kept nowhere.

    Names may repeat: they are for people. ``events_per_second_max``: None is no limit. Raises
    `CredentialInvalid`.
    """
    _check_rate(events_per_second_max)
    if not name.strip() or len(name) > NAME_LENGTH_MAX:
        raise CredentialInvalid(f"an API key needs a name of 1 to {NAME_LENGTH_MAX} characters")
    unknown = [scope for scope in scopes if scope not in ApiKey.Scope.values]
    if unknown or not scopes:
        wrong = f"there is no scope {unknown[0]!r}" if unknown else "an API key needs at least one scope"
        raise CredentialInvalid(f"{wrong}; the scopes are {', '.join(ApiKey.Scope.values)}")
    prefix, secret = _letters(SECRET_BYTES)[:PREFIX_LENGTH], _letters(SECRET_BYTES)
    text = f"mb_{prefix}_{secret}"
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        key_hash=api_key_hash(text),
        scopes=[scope for scope in ApiKey.Scope.values if scope in scopes],
        created_at=at,
        events_per_second_max=events_per_second_max,
    )
    return key, text


def limit_api_key(*, key: ApiKey, events_per_second_max: int | None) -> None:
    """Changes how fast a key may send, within seconds in every process; None ends the limit.

    Raises `CredentialInvalid`.
    """
    _check_rate(events_per_second_max)
    ApiKey.objects.filter(pk=key.pk).update(events_per_second_max=events_per_second_max)


def _check_rate(events_per_second: int | None) -> None:
    if events_per_second is not None and not 1 <= events_per_second <= RATE_MAX:
        raise CredentialInvalid(f"a limit is a whole number of events a second, from 1 to {RATE_MAX:,}")


def api_key_hash(text: str) -> bytes:
    """The hash by which a key is known: HMAC-SHA256 under the server's pepper, 32 bytes.

    A slow password hash would add nothing: the secret has 256 random bits.
    """
    return hmac.digest(settings.API_KEY_PEPPER.encode(), text.encode(), hashlib.sha256)


def revoke_api_key(*, key: ApiKey, at: datetime) -> None:
    """Ends a key's use, within seconds in every process. A key that was revoked before keeps its instant."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)


def issue_webhook_source(*, name: str, adapter: str, at: datetime) -> tuple[WebhookSource, str]:
    """Makes a metering webhook; returns its row and its signing secret ``whsec_<base64>``.

    Its address is ``/webhooks/metering/<name>``. Raises `CredentialInvalid`, also for a name that is taken.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or len(name) > SOURCE_NAME_LENGTH_MAX:
        raise CredentialInvalid(
            f"the name {name[:SOURCE_NAME_LENGTH_MAX]!r} stands in an address: take letters, digits, - and _"
        )
    if adapter not in WebhookSource.Adapter.values:
        raise CredentialInvalid(
            f"there is no adapter {adapter!r}; the adapters are {', '.join(WebhookSource.Adapter.values)}"
        )
    secret = _webhook_secret()
    try:
        with transaction.atomic():
            source = WebhookSource.objects.create(name=name, adapter=adapter, secret=secret, created_at=at)
    except IntegrityError as error:
        raise CredentialInvalid(f"there is a webhook source named {name} already") from error
    return source, secret


def rotate_webhook_secret(*, source: WebhookSource) -> str:
    """Gives a source a new secret and returns it; the last one stays valid beside it."""
    with transaction.atomic():
        locked = WebhookSource.objects.select_for_update().get(pk=source.pk)
        secret = _webhook_secret()
        locked.previous_secret, locked.secret = locked.secret, secret
        locked.save(update_fields=["secret", "previous_secret"])
    return secret


def _webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _letters(size: int) -> str:
    """Random bytes as lower-case letters and digits without look-alikes (base32)."""
    return base64.b32encode(secrets.token_bytes(size)).decode().rstrip("=").lower()
