"""Errors of the API, all of one shape: problem+json (RFC 9457), in words for a stranger.

{"type": "about:blank", "title", "status", "detail", "code", "field"}. ``code`` names the fault for programs,
``field`` the place of the first one that is at fault, or is null; ``errors`` [{"field", "message"}] names
each where there may be several.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from metering.documents import DocumentError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
_TITLES = {
    400: "The request is not valid",
    401: "No valid API key",
    403: "The API key may not do this",
    404: "There is nothing at this address",
    405: "This address does not take the method",
    406: "The answer is JSON",
    409: "The request does not fit what is there",
    415: "The body's type is not taken here",
    422: "The request cannot be answered as it stands",
    429: "The API key is used too fast",
}


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """The answer of Django REST framework to an exception of a view (its EXCEPTION_HANDLER)."""
    set_rollback()
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    if isinstance(error, DocumentError):
        return _of_document(error)
    if isinstance(error, exceptions.APIException):
        return _of_request(error)
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("database_away", error=str(error))
        connection.close()
        return _problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The database did not answer",
            "Send the same request again in a few seconds.",
            "unavailable",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    log.error("api_failed", view=type(context["view"]).__name__, exc_info=error)
    return _problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Meterbook failed to answer",
        "The fault is ours and was logged.",
        "failed",
    )


def nothing_here(request: HttpRequest) -> JsonResponse:
    """404 for every address below /api/ that no view has."""
    detail = f"{request.path[:200]} is no address of the API; look for a typo in it."
    body = _body(404, _TITLES[404], detail, "no_such_address", None)
    return JsonResponse(body, status=404, content_type=MEDIA_TYPE)


def _of_document(error: DocumentError) -> Response:
    errors = [{"field": error.field, "message": error.message}] if error.field else None
    return _problem(400, _TITLES[400], str(error), error.code, error.field, errors=errors)


def _of_request(error: exceptions.APIException) -> Response:
    status = error.status_code
    headers = dict(getattr(error, "headers", {}))
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    detail, errors = _detail(error), None
    code, field = _code(error), getattr(error, "field", "")
    if isinstance(error, exceptions.ValidationError):
        errors = [{"field": field, "message": message} for field, message in _faults(error.detail)]
        detail = "; ".join(_sentence(each) for each in errors)
        field = errors[0]["field"] if errors else ""
    elif isinstance(error, exceptions.Throttled):
        wait_s = max(1, math.ceil(error.wait or 0))
        headers["Retry-After"] = str(wait_s)
        detail = f"This API key has used up its limit. Send the same request again in {wait_s:,} s."
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    return _problem(status, title, detail, code, field, headers=headers, errors=errors)


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else "invalid"


def _detail(error: exceptions.APIException) -> str:
    return str(error.detail) if not isinstance(error.detail, dict | list) else ""


def _sentence(fault: dict[str, str]) -> str:
    return f"{fault['field']}: {fault['message']}" if fault["field"] else fault["message"]


def _faults(detail: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """(field, message) of each fault; fields inside others are written with dots and brackets."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            is_general = name == "non_field_errors"
            yield from _faults(inner, field if is_general else f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_nested = isinstance(inner, dict | list)
            yield from _faults(inner, f"{field}[{index}]" if is_nested else field)
    else:
        yield field, str(detail)


def _problem(
    status: int,
    title: str,
    detail: str,
    code: str,
    field: str = "",
    *,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    body = _body(status, title, detail, code, field or None)
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def _body(status: int, title: str, detail: str, code: str, field: str | None) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": title,
        "status": int(status),
        "detail": detail,
        "code": code,
        "field": field,
    }
