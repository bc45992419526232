"""Who is at the door: holders of API keys, and senders of signed webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.db import connection

from metering import admission, ingesting
from metering.door.answers import Problem
from metering.models import WebhookSource
from metering.recent import Recent

SIGNATURE_TOLERANCE_S = 300
SIGNATURES_MAX = 10


@dataclass(frozen=True, slots=True)
class _Source:
    id: int
    adapter: str
    secrets: tuple[bytes, ...]


def api_key(*, header: str, scope: str, at: datetime, now_s: float) -> admission.Key:
    """The API key in an Authorization header ``Bearer mb_...``, charged with one event.

    ``now_s``: as `admission.charge` has it. Raises `Problem`: 401 without a valid key, 403 when the key lacks
    the scope, 429 when it is used too fast.
    """
    try:
        key = admission.of(authorization=header, at=at)
        key.require(scope)
        admission.charge(key=key, now_s=now_s)
    except admission.KeyUnknown as error:
        realm = {"WWW-Authenticate": 'Bearer realm="meterbook"'}
        raise Problem(HTTPStatus.UNAUTHORIZED, "No valid API key", str(error), realm) from None
    except admission.ScopeMissing as error:
        raise Problem(HTTPStatus.FORBIDDEN, "The API key may not do this", str(error)) from None
    except admission.TooFast as error:
        later = {"Retry-After": str(error.retry_after_s)}
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS, "The API key is used too fast", str(error), later
        ) from None
    return key


def webhook(
    *, name: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> tuple[ingesting.Sender, str]:
    """The sender and the adapter of a delivery signed as Standard Webhooks say; ``body`` as on the wire.

    An unknown source is answered like a wrong signature, so that names cannot be found out by trying.
    Raises `Problem` 401.
    """
    source = _sources.get(name)
    secrets = (b"no such source",) if source is None else source.secrets
    is_valid = _is_signed(secrets=secrets, headers=headers, body=body, at=at)
    if source is None or not is_valid:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "The signature is not valid",
            "A delivery needs the headers webhook-id, webhook-timestamp (Unix seconds, at most 5 minutes "
            "off) and webhook-signature (v1,<base64 of HMAC-SHA256 over id.timestamp.body>), made with the "
            "secret of this webhook source over the bytes of the body as they are sent.",
        )
    return ingesting.Sender(webhook_source_id=source.id), source.adapter


def _load_source(name: str) -> _Source | None:
    connection.close_if_unusable_or_obsolete()  # outside of Django's request cycle nobody else does
    row = WebhookSource.objects.filter(name=name, revoked_at=None).first()
    if row is None:
        return None
    secrets = tuple(_secret_bytes(text) for text in (row.secret, row.previous_secret) if text)
    return _Source(row.pk, row.adapter, secrets)


_sources: Recent[str, _Source] = Recent(_load_source, ttl_s=admission.CREDENTIAL_TTL_S)


def _secret_bytes(text: str) -> bytes:
    return base64.b64decode(text.removeprefix("whsec_") + "==")


def _is_signed(*, secrets: tuple[bytes, ...], headers: Mapping[str, str], body: bytes, at: datetime) -> bool:
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(at.timestamp() - int(timestamp)) > SIGNATURE_TOLERANCE_S:
        return False
    signed = b".".join([id.encode("latin-1", "replace"), timestamp.encode(), body])
    wanted = [hmac.digest(secret, signed, hashlib.sha256) for secret in secrets]
    is_valid = False
    for given in headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]:
        version, _, encoded = given.partition(",")
        for digest in wanted:
            is_valid |= version == "v1" and hmac.compare_digest(digest, _decoded(encoded))
    return is_valid


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded.encode("latin-1", "replace"), validate=True)
    except binascii.Error:
        return b""
