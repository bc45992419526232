"""Requests to the door, as senders make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from metering import issuing
from metering.models import ApiKey, WebhookSource
from tests.servers import Response, WebServer

JSON = "application/json"


def new_key(*scopes: str) -> str:
    """The text of a new API key; without scopes one that may ingest."""
    return new_key_row(*scopes)[1]


def new_key_row(*scopes: str) -> tuple[ApiKey, str]:
    return issuing.issue_api_key(name="test", scopes=scopes or ["ingest"], at=datetime.now(tz=UTC))


def new_source(adapter: str = "cloudevents") -> tuple[WebhookSource, str]:
    name = f"source-{uuid.uuid4().hex[:8]}"
    return issuing.issue_webhook_source(name=name, adapter=adapter, at=datetime.now(tz=UTC))


def event(id: str = "1", **members: Any) -> dict[str, Any]:
    usual = {"specversion": "1.0", "source": "gateway", "type": "llm.call", "subject": "acme"}
    return usual | {"id": id, "time": "2026-10-05T11:00:00Z", "data": {"input_tokens": 12}} | members


def send(server: WebServer, key: str, body: Any, **headers: str) -> Response:
    """POSTs to the events API; what is not bytes is sent as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content_type": JSON, "authorization": f"Bearer {key}"} | headers
    return server.post("/api/v1/events", raw, **headers)


def receipt(response: Response) -> tuple[int, int, list[tuple[int, str]]]:
    """(accepted, duplicates, [(index, code) of the rejected])"""
    assert response.status == 200, response.body
    body = response.json()
    return body["accepted"], body["duplicates"], [(each["index"], each["code"]) for each in body["rejected"]]


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
