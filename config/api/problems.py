"""Errors of the API, all of one shape: problem+json (RFC 9457), in words for a stranger.

{"type": "about:blank", "title", "status", "detail"}, with ``errors`` [{"field", "message"}] where single
fields are at fault.
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
    if isinstance(error, exceptions.APIException):
        return _of_request(error)
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("database_away", error=str(error))
        connection.close()
        return _problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The database did not answer",
            "Send the same request again in a few seconds.",
            {"Retry-After": str(RETRY_AFTER_S)},
        )
    log.error("api_failed", view=type(context["view"]).__name__, exc_info=error)
    return _problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Meterbook failed to answer", "The fault is ours and was logged."
    )


def nothing_here(request: HttpRequest) -> JsonResponse:
    """404 for every address below /api/ that no view has."""
    body = _body(404, _TITLES[404], f"{request.path[:200]} is no address of the API; look for a typo in it.")
    return JsonResponse(body, status=404, content_type=MEDIA_TYPE)


def _of_request(error: exceptions.APIException) -> Response:
    status = error.status_code
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    detail, errors = _detail(error), None
    if isinstance(error, exceptions.ValidationError):
        errors = [{"field": field, "message": message} for field, message in _faults(error.detail)]
        detail = "; ".join(_sentence(each) for each in errors)
    elif isinstance(error, exceptions.Throttled):
        wait_s = max(1, math.ceil(error.wait or 0))
        headers["Retry-After"] = str(wait_s)
        detail = f"This API key has used up its limit. Send the same request again in {wait_s:,} s."
    return _problem(status, _TITLES.get(status, HTTPStatus(status).phrase), detail, headers, errors)


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
    headers: dict[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    body = _body(status, title, detail)
    if errors:
        body["errors"] = errors
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def _body(status: int, title: str, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail}
