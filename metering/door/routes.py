"""From a request to its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from types import ModuleType
from typing import Any, NamedTuple

import celery
import structlog
from django.db import Error, connection

from metering import ingesting
from metering.door import answers, authentication, limits, reading, waking
from metering.door.adapters import ADAPTERS, every
from metering.door.answers import Answer, Problem
from metering.door.committing import Committer, CommitTimedOut
from metering.models import ApiKey
from metering.recent import Recent

log = structlog.get_logger(__name__)

EVENT_PATHS = frozenset({"/api/v1/events", "/api/v1/events/batch"})
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
        if path in EVENT_PATHS or path.startswith(WEBHOOK_PATH):
            answer = door.answer(environ, path)
            start_response(answer.status_line, answer.all_headers)
            return [answer.body]
        return app(environ, start_response)

    return application


class _Delivery(NamedTuple):
    """A request whose sender is known. ``body`` is decompressed."""

    sender: ingesting.Sender
    formats: tuple[ModuleType, ...]
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class _Door:
    def __init__(self, app: celery.Celery) -> None:
        self._committer = Committer(after_commit=waking.errand(app).ask)
        self._meters: Recent[str, ingesting.Meters] = Recent(lambda _: ingesting.load(), ttl_s=METERS_TTL_S)

    def answer(self, environ: Environ, path: str) -> Answer:
        """The answer to a request, whatever goes wrong."""
        try:
            if environ["REQUEST_METHOD"] != "POST":
                raise Problem(
                    HTTPStatus.METHOD_NOT_ALLOWED,
                    "Events are sent with POST",
                    f"{path[:200]} takes POST only.",
                    {"Allow": "POST"},
                )
            return self._recorded(_delivery(environ, path, datetime.now(tz=UTC)))
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
        read = reading.read(headers=delivery.headers, body=delivery.body, formats=delivery.formats)
        receipt = self._committer.commit(self._submission(delivery, read))
        drafts = [event if isinstance(event, ingesting.Draft) else None for event in read.events]
        return answers.ok(read.format.answer(receipt, drafts, read.is_batch))

    def _submission(self, delivery: _Delivery, read: reading.Reading) -> ingesting.Submission:
        meters = self._meters.get("all")
        assert meters is not None
        facts, refusals = [], []
        for index, event in enumerate(read.events):
            if isinstance(event, ingesting.Draft):
                screened = ingesting.screen(
                    index=index, draft=event, received_at=delivery.received_at, judge=meters.judge
                )
            else:
                screened = ingesting.refuse_text(
                    index=index, text=event.text, kept=event.kept, message=event.message
                )
            if isinstance(screened, ingesting.Fact):
                facts.append(screened)
            else:
                refusals.append(screened)
        return ingesting.Submission(
            sender=delivery.sender,
            sha256=hashlib.sha256(delivery.body).hexdigest(),
            received_at=delivery.received_at,
            facts=tuple(facts),
            refusals=tuple(refusals),
        )


def _delivery(environ: Environ, path: str, at: datetime) -> _Delivery:
    headers = _headers(environ)
    # In a long-lived thread outside of Django's request cycle nobody else looks after its connection.
    connection.close_if_unusable_or_obsolete()
    if path in EVENT_PATHS:
        header = headers.get("authorization", "")
        sender = authentication.api_key(header=header, scope=ApiKey.Scope.INGEST.value, at=at)
        formats: tuple[ModuleType, ...] = every.FORMATS
        raw = limits.raw_body(environ)
    else:
        raw = limits.raw_body(environ)
        name = path.removeprefix(WEBHOOK_PATH)
        sender, adapter = authentication.webhook(name=name, headers=headers, body=raw, at=at)
        formats = ADAPTERS[adapter].FORMATS
    body = limits.plain_body(raw, encoding=headers.get("content-encoding", ""))
    return _Delivery(sender, formats, headers, body, at)


def _headers(environ: Environ) -> dict[str, str]:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_ENCODING"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers
