"""What the door sends back: receipts, and problems in words for a stranger (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple

import msgspec

RETRY_AFTER_S = 5


class Answer(NamedTuple):
    """A finished answer. ``body`` is JSON text."""

    status: HTTPStatus
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status_line(self) -> str:
        return f"{self.status.value} {self.status.phrase}"

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        return [
            ("Content-Type", self.content_type),
            ("Content-Length", str(len(self.body))),
            ("Cache-Control", "no-store"),
            *self.headers,
        ]


class Problem(Exception):
    """A request that cannot be taken as a whole. ``title`` names the fault, ``detail`` what to do."""

    def __init__(
        self, status: HTTPStatus, title: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = tuple((headers or {}).items())

    @property
    def answer(self) -> Answer:
        body = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status.value,
            "detail": self.detail,
        }
        return Answer(self.status, msgspec.json.encode(body), "application/problem+json", self.headers)


def ok(body: object) -> Answer:
    """200 with a JSON body."""
    return Answer(HTTPStatus.OK, msgspec.json.encode(body))


def unreadable(detail: str) -> Problem:
    """400: what was sent is no body of any format that is taken here."""
    return Problem(HTTPStatus.BAD_REQUEST, "The body cannot be read", detail)


def too_large(detail: str) -> Problem:
    """413."""
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large", detail)


def unsupported(detail: str) -> Problem:
    """415."""
    return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body's type is not taken here", detail)


def unavailable(detail: str) -> Problem:
    """503: the same request will work later."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Events cannot be recorded at the moment",
        detail,
        {"Retry-After": str(RETRY_AFTER_S)},
    )


def unexpected() -> Problem:
    """500: a fault of this program, which its log describes."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Meterbook failed to answer",
        "The fault is ours and was logged. Events may be sent again: those that were recorded count once.",
    )
