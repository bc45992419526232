"""The addresses that `metering.door` answers in front of Django, described by hand: they have no view."""

from __future__ import annotations

from typing import Any

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

SCHEMAS: dict[str, Any] = {
    "Problem": {
        "description": "Why a request was refused (RFC 9457). `code` names the fault for programs, `field` "
        "the first place at fault, and `errors` each.",
        "type": "object",
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": _TEXT,
            "field": {"type": ["string", "null"]},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": _TEXT, "message": _TEXT},
                    "required": ["field", "message"],
                },
            },
        },
        "required": ["type", "title", "status", "detail"],
    },
    "CloudEvent": {
        "description": "A usage event: something happened, once. Further members are extensions.",
        "type": "object",
        "properties": {
            "id": {**_TEXT, "minLength": 1},
            "source": {**_TEXT, "minLength": 1},
            "type": {**_TEXT, "minLength": 1},
            "subject": {**_TEXT, "minLength": 1},
            "time": {**_TEXT, "format": "date-time"},
            "specversion": {**_TEXT, "const": "1.0"},
            "data": {"type": "object"},
        },
        "required": ["id", "source", "type", "subject"],
    },
    "RejectedEvent": {
        "type": "object",
        "properties": {
            "index": _COUNT,
            "id": {"type": ["string", "null"]},
            "code": {**_TEXT, "enum": ["invalid", "conflict", "unmeterable", "too_large", "time"]},
            "message": _TEXT,
        },
        "required": ["index", "id", "code", "message"],
    },
    "Receipt": {
        "description": "What became of the events of a request. The counts add up to the events received.",
        "type": "object",
        "properties": {
            "batch": _TEXT,
            "sha256": _TEXT,
            "accepted": _COUNT,
            "duplicates": _COUNT,
            "rejected": {"type": "array", "items": {"$ref": "#/components/schemas/RejectedEvent"}},
        },
        "required": ["batch", "sha256", "accepted", "duplicates", "rejected"],
    },
}
REFUSED: dict[str, Any] = {
    "description": "The request was refused, or could not be answered.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_EVENT = {"$ref": "#/components/schemas/CloudEvent"}
_EVENTS = {"type": "array", "items": _EVENT}
_BODY = {
    "required": True,
    "content": {
        "application/cloudevents+json": {"schema": _EVENT},
        "application/cloudevents-batch+json": {"schema": _EVENTS},
        "application/json": {"schema": {"anyOf": [_EVENT, _EVENTS, {"type": "object"}]}},
        "application/x-ndjson": {"schema": _TEXT},
    },
}
_RESPONSES = {
    "200": {
        "description": "Stored. Single events may have been rejected all the same.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}},
    },
    "default": REFUSED,
}


def _sending(operation_id: str, description: str, **members: Any) -> dict[str, Any]:
    shared = {"operationId": operation_id, "description": description, "tags": ["events"]}
    return {**shared, "requestBody": _BODY, "responses": _RESPONSES, **members}


_SCOPE = "\n\nNeeds a key of scope `ingest`."
_WITH_KEY = {"security": [{"apiKey": []}]}
PATHS: dict[str, Any] = {
    "/api/v1/events": {
        "post": _sending(
            "send_events",
            f"Takes events, and answers once they are stored. Each counts once, however often sent.{_SCOPE}",
            **_WITH_KEY,
        )
    },
    "/api/v1/events/batch": {
        "post": _sending(
            "send_event_batch",
            f"The same, at the address to which clients of Lago send batches.{_SCOPE}",
            **_WITH_KEY,
        )
    },
    "/webhooks/metering/{name}": {
        "post": _sending(
            "send_signed_events",
            "Takes events of a sender that signs its deliveries (Standard Webhooks).",
            security=[],
            parameters=[
                {"name": "name", "in": "path", "required": True, "schema": _TEXT},
                *(
                    {"name": header, "in": "header", "required": True, "schema": _TEXT}
                    for header in ("webhook-id", "webhook-timestamp", "webhook-signature")
                ),
            ],
        )
    },
}
