"""`Idempotency-Key`: a request that is sent again has no second effect, and the answer of the first time.

Note [Written together]: the record of the answer is written in the transaction of the effect. So a crash, or
an error, leaves neither: the same request may be sent again. Only what had an effect is recorded, a refusal
is not: the same key may be used again once what was wrong is mended.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import IdempotencyRecord
from metering.api.bodies import BodyTooLarge

RETRY_AFTER_S = 1
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_REPLAYED = "Idempotent-Replayed"


class KeyInvalid(exceptions.ParseError):
    """The header holds no key."""

    default_detail = "An Idempotency-Key is 1 to 255 visible ASCII characters, without spaces."
    default_code = "idempotency_key_invalid"
    field = "Idempotency-Key"


class KeyReused(exceptions.APIException):
    """The key was used for another request."""

    status_code = HTTPStatus.CONFLICT
    default_detail = (
        "This Idempotency-Key was used for another request: the method, the address or the body differ. "
        "Give each request a key of its own."
    )
    default_code = "idempotency_key_reused"
    field = "Idempotency-Key"


class StillRunning(exceptions.APIException):
    """The first request with the key has not been answered yet."""

    status_code = HTTPStatus.CONFLICT
    default_detail = f"A request with this Idempotency-Key is running. Send it again in {RETRY_AFTER_S} s."
    default_code = "idempotency_key_running"
    field = "Idempotency-Key"
    headers = {"Retry-After": str(RETRY_AFTER_S)}


def answered(*, request: Request, act: Callable[[], Response]) -> HttpResponseBase:
    """The answer of ``act``, or that of the first request with the same ``Idempotency-Key``.

    Without the header it is ``act`` alone. Raises KeyInvalid, KeyReused and StillRunning.
    """
    if "Idempotency-Key" not in request.headers:
        return act()
    asked = _asked(request)
    with transaction.atomic():
        _hold(asked)
        before = IdempotencyRecord.objects.filter(api_key_id=asked.api_key_id, key=asked.key).first()
        if before is not None:
            return _replayed(before, asked)
        response = act()
        # Errors are raised; an answer that comes this far belongs to an effect.
        asked.status = response.status_code
        asked.answer = msgspec.json.encode(response.data).decode()
        asked.location = response.headers.get("Location", "")
        asked.created_at = timezone.now()
        asked.save(force_insert=True)
    return response


def _asked(request: Request) -> IdempotencyRecord:
    """The record of the request, without an answer."""
    key = request.headers["Idempotency-Key"]
    if not _KEY.fullmatch(key):
        raise KeyInvalid
    try:
        body = request._request.body
    except RequestDataTooBig:
        raise BodyTooLarge from None
    return IdempotencyRecord(
        api_key_id=request.auth.id,
        key=key,
        method=request.method,
        path=request.get_full_path(),
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def _hold(asked: IdempotencyRecord) -> None:
    """Keeps every other request with the key out until the transaction ends. Raises StillRunning.

    The lock is let go after the commit, so that whoever gets it sees the record.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"idempotency {asked.api_key_id} {asked.key}"],
        )
        is_mine = cursor.fetchone()[0]
    if not is_mine:
        raise StillRunning


def _replayed(before: IdempotencyRecord, asked: IdempotencyRecord) -> HttpResponse:
    same = ("method", "path", "body_sha256")
    if any(getattr(before, name) != getattr(asked, name) for name in same):
        raise KeyReused
    headers = {_REPLAYED: "true"} | ({"Location": before.location} if before.location else {})
    return HttpResponse(before.answer, status=before.status, headers=headers, content_type="application/json")
