"""Events on their way to the running server, over HTTP: with an API key, or signed as a webhook.

The signature is computed here as the Standard Webhooks specification says, not by the product's code.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

from config.demo import failures

BATCH_EVENTS = 1000
ATTEMPTS_MAX = 7
RETRY_WAIT_MAX_S = 8.0
TIMEOUT_S = 60.0
_BUSY = (http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.SERVICE_UNAVAILABLE)


@dataclasses.dataclass(frozen=True)
class Sent:
    """What became of the events of one sending; accepted and duplicates add up to those sent."""

    accepted: int
    duplicates: int


class Sender(Protocol):
    """A way to the server: an address, and the headers that prove who sends."""

    path: str

    def headers(self, *, body: bytes, message_id: str) -> Mapping[str, str]: ...


@dataclasses.dataclass(frozen=True)
class ApiKeySender:
    """Sends batches to the events API."""

    key: str
    path: str = "/api/v1/events/batch"

    def headers(self, *, body: bytes, message_id: str) -> Mapping[str, str]:
        """The key as a bearer token."""
        return {"authorization": f"Bearer {self.key}"}


@dataclasses.dataclass(frozen=True)
class WebhookSender:
    """Delivers batches to a metering webhook. ``secret`` begins with ``whsec_``."""

    secret: str
    path: str

    def headers(self, *, body: bytes, message_id: str) -> Mapping[str, str]:
        """The three headers of Standard Webhooks: HMAC-SHA256 over "id.timestamp.body", as of now."""
        timestamp = str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
        return {
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }


class Server:
    """The server at ``url`` behind one connection that is kept open. A context manager."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = connect(parts.netloc, timeout=TIMEOUT_S)
        self._prefix = parts.path.rstrip("/")
        self._url = url

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def send(
        self, *, sender: Sender, events: Sequence[dict[str, Any]], advanced: Callable[[int], None]
    ) -> Sent:
        """Sends ``events`` in batches and checks every receipt; ``advanced`` is told how many went through.

        Raises `DemoFailed` naming the first event that was rejected, or what the server answered.
        """
        accepted = duplicates = 0
        for offset in range(0, len(events), BATCH_EVENTS):
            batch = events[offset : offset + BATCH_EVENTS]
            receipt = self._post(sender=sender, batch=batch)
            _check(receipt=receipt, batch=batch)
            accepted += receipt["accepted"]
            duplicates += receipt["duplicates"]
            advanced(len(batch))
        return Sent(accepted=accepted, duplicates=duplicates)

    def _post(self, *, sender: Sender, batch: Sequence[dict[str, Any]]) -> dict[str, Any]:
        body = json.dumps(batch, separators=(",", ":")).encode()
        # The same message has the same id whenever it is sent again.
        message_id = f"msg_{hashlib.sha256(body).hexdigest()[:32]}"
        wait_s, reason = 0.25, ""
        for attempt in range(ATTEMPTS_MAX):
            if attempt:
                time.sleep(min(wait_s, RETRY_WAIT_MAX_S))
                wait_s *= 2
            headers = {
                "content-type": "application/cloudevents-batch+json",
                **sender.headers(body=body, message_id=message_id),
            }
            try:
                self._connection.request("POST", self._prefix + sender.path, body=body, headers=headers)
                response = self._connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException) as error:
                # Nobody knows whether the batch arrived. Sending it again is safe: it would be duplicates.
                self._connection.close()
                reason = f"{type(error).__name__}: {error}"
                continue
            if response.status == http.HTTPStatus.OK:
                return _decoded(answer)
            reason = f"HTTP {response.status}: {_problem(answer)}"
            if response.status not in _BUSY:
                raise failures.DemoFailed(f"{self._url}{sender.path} refused a batch with {reason}")
            wait_s = max(wait_s, _seconds(response.headers.get("retry-after", "")))
        raise failures.DemoFailed(f"{self._url} took no batch in {ATTEMPTS_MAX} attempts; the last: {reason}")


def _check(*, receipt: Mapping[str, Any], batch: Sequence[dict[str, Any]]) -> None:
    if receipt["rejected"]:
        first = receipt["rejected"][0]
        raise failures.DemoFailed(
            f"{len(receipt['rejected'])} events were rejected; the first is {batch[first['index']]['id']}:"
            f" {first['code']}, {first['message']}"
        )
    if receipt["accepted"] + receipt["duplicates"] != len(batch):
        raise failures.DemoFailed(
            f"{len(batch)} events were sent, but the receipt names {receipt['accepted']} accepted"
            f" and {receipt['duplicates']} duplicates (batch {receipt.get('batch')})"
        )


def _decoded(answer: bytes) -> dict[str, Any]:
    try:
        receipt = json.loads(answer)
        if {"accepted", "duplicates", "rejected"} <= receipt.keys():
            return receipt
    except (ValueError, AttributeError):
        pass
    raise failures.DemoFailed(f"the server answered no receipt: {answer[:200].decode(errors='replace')}")


def _problem(answer: bytes) -> str:
    """The detail of a problem+json body, or the beginning of whatever was answered."""
    try:
        problem = json.loads(answer)
        return str(problem.get("detail") or problem.get("title") or problem)
    except (ValueError, AttributeError):
        return answer[:200].decode(errors="replace")


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() else 0.0
