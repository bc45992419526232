"""From a request to its answer."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from types import ModuleType
from typing import Any, NamedTuple

import celery
import structlog
from django.db import Error, connection

from metering import admission, ingesting
from metering.door import answers, authentication, limits, reading, room, submissions, waking
from metering.door.adapters import ADAPTERS, every
from metering.door.answers import Answer, Problem
from metering.door.committing import Committer, CommitTimedOut
from metering.models import ApiKey
from metering.recent import Recent

log = structlog.get_logger(__name__)

EVENTS_PATH = "/api/v1/events"
EVENT_PATHS = frozenset({EVENTS_PATH, "/api/v1/events/batch"})
# Of the one address that can be read too; the API behind the door answers these.
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WEBHOOK_PATH = "/webhooks/metering/"
METERS_TTL_S = 1.0

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


def in_front_of(app: Application) -> Application:
    """A WSGI application that takes events itself and hands everything else to ``app``.

    Call it in the thread that made the Celery application: other threads do not know which one is current.
    """
    door = _Door(celery.current_app._get_current_object())

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if _is_for_the_door(environ, path):
            answer = door.answer(environ, path)
            start_response(answer.status_line, answer.all_headers)
            return [answer.body]
        return app(environ, start_response)

    return application


def _is_for_the_door(environ: Environ, path: str) -> bool:
    if path == EVENTS_PATH:
        return environ["REQUEST_METHOD"] not in READING_METHODS
    return path in EVENT_PATHS or path.startswith(WEBHOOK_PATH)


class _Delivery(NamedTuple):
    """A request whose sender is known, with the key that it came with. ``body`` is decompressed."""

    sender: ingesting.Sender
    key: admission.Key | None
    formats: tuple[ModuleType, ...]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class _Door:
    def __init__(self, app: celery.Celery) -> None:
        self._room = room.Room()
        self._computing = threading.Lock()
        self._committer = Committer(after_commit=waking.errand(app).ask)
        self._meters: Recent[str, ingesting.Meters] = Recent(_load_meters, ttl_s=METERS_TTL_S)

    def answer(self, environ: Environ, path: str) -> Answer:
        """The answer to a request, whatever goes wrong."""
        try:
            if environ["REQUEST_METHOD"] != "POST":
                raise _method_not_allowed(path)
            delivery = _delivery(environ, path, datetime.now(tz=UTC))
            with self._room.taken(len(delivery.body)):
                return self._recorded(delivery)
        except Problem as problem:
            limits.drain(environ)
            return problem.answer
        except (Error, ingesting.RecordingUnavailable, CommitTimedOut) as error:
            log.warning("events_not_recorded", error=str(error), kind=type(error).__name__)
            if isinstance(error, Error):
                connection.close()
            return answers.unavailable(
                "The database did not answer. Send the same events again: none is counted twice."
            ).answer
        except Exception:
            log.exception("door_failed", path=path[:200])
            return answers.unexpected().answer

    def _recorded(self, delivery: _Delivery) -> Answer:
        meters = self._meters.get("all")
        assert meters is not None
        # Python computes in one thread at a time. Were many at it, those that commit would wait for them all.
        with self._computing:
            read = reading.read(headers=delivery.headers, body=delivery.body, formats=delivery.formats)
            if delivery.key is not None and len(read.events) > 1:  # one was paid for at the entrance
                more = len(read.events) - 1
                admission.charge(key=delivery.key, events=more, now_s=time.monotonic(), is_let_in=True)
            submission = submissions.of(
                read=read,
                sender=delivery.sender,
                body=delivery.body,
                received_at=delivery.received_at,
                judge=meters.judge,
            )
        receipt = self._committer.commit(submission)
        drafts = [event if isinstance(event, ingesting.Draft) else None for event in read.events]
        return answers.ok(read.format.answer(receipt, drafts, read.is_batch, delivery.received_at))


def _load_meters(_: str) -> ingesting.Meters:
    connection.close_if_unusable_or_obsolete()  # outside of Django's request cycle nobody else does
    return ingesting.load()


def _method_not_allowed(path: str) -> Problem:
    is_readable = path == EVENTS_PATH
    return Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "Events are sent with POST",
        f"{path[:200]} takes POST" + (", and GET to read events." if is_readable else " only."),
        {"Allow": "GET, HEAD, OPTIONS, POST" if is_readable else "POST"},
    )


def _delivery(environ: Environ, path: str, at: datetime) -> _Delivery:
    headers = _headers(environ)
    key = None
    if path in EVENT_PATHS:
        header = headers.get("authorization", "")
        key = authentication.api_key(
            header=header, scope=ApiKey.Scope.INGEST.value, at=at, now_s=time.monotonic()
        )
        sender = ingesting.Sender(api_key_id=key.id)
        formats: tuple[ModuleType, ...] = every.FORMATS
        raw = limits.raw_body(environ)
    else:
        raw = limits.raw_body(environ)
        name = path.removeprefix(WEBHOOK_PATH)
        sender, adapter = authentication.webhook(name=name, headers=headers, body=raw, at=at)
        formats = ADAPTERS[adapter].FORMATS
    body = limits.plain_body(raw, encoding=headers.get("content-encoding", ""))
    return _Delivery(sender, key, formats, headers, body, at)


def _headers(environ: Environ) -> dict[str, str]:
    headers = {_header_name(name): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_ENCODING"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


@functools.lru_cache(maxsize=1_000)
def _header_name(name: str) -> str:
    return name[5:].replace("_", "-").lower()
