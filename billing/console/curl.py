"""A first event as a command that can be copied."""

from __future__ import annotations

import json
import shlex

from django.http import HttpRequest

from billing.models import CustomerSubject
from metering.models import MeterVersion

SUBJECT = "acme"
EVENT_TYPE = "llm.call"


def first_event(request: HttpRequest, *, key: str = "$METERBOOK_KEY") -> str:
    """A curl command that sends one event to this server.

    Its type, and the fields that it carries, are those of the newest meter, its subject one that has a
    payer; usual ones where there is none yet. The time is left out: the receipt's counts.
    """
    version = MeterVersion.objects.order_by("-pk").first()
    subject = CustomerSubject.objects.filter(validity__endswith__isnull=True).order_by("-pk").first()
    event = {
        "specversion": "1.0",
        "id": "first-event-1",
        "source": "my-gateway",
        "type": version.document["event_type"] if version else EVENT_TYPE,
        "subject": subject.subject if subject else SUBJECT,
        "data": _payload(version.document) if version else {"input_tokens": 1200, "output_tokens": 300},
    }
    address = request.build_absolute_uri("/api/v1/events")
    return (
        f"curl -X POST {shlex.quote(address)} \\\n"
        f'  -H "Authorization: Bearer {key}" \\\n'
        '  -H "Content-Type: application/cloudevents+json" \\\n'
        f"  -d {shlex.quote(json.dumps(event, indent=2, ensure_ascii=False))}"
    )


def _payload(document: dict) -> dict:
    """Fields that the meter of this document reads, with a small value each."""
    payload: dict = {}
    for path, values in (document.get("where") or {}).items():
        _put(payload, path, values[0])
    for path in _value_paths(document.get("value")):
        _put(payload, path, 1)
    for source in (document.get("dimensions") or {}).values():
        if isinstance(source, dict):
            _put(payload, source["path"], 1)
        else:
            _put(payload, source, "example")
    for path in document.get("of") or []:
        _put(payload, path, "example")
    if document.get("aggregation") == "DURATION":
        _put(payload, document.get("start") or "start", "2026-01-01T10:00:00Z")
        _put(payload, document.get("end") or "end", "2026-01-01T11:00:00Z")
    return payload


def _put(payload: dict, path: str, value: object) -> None:
    *parents, last = path.split(".")
    for name in parents:
        payload = payload.setdefault(name, {})
    payload.setdefault(last, value)


def _value_paths(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [path for paths in value.values() for path in paths]
    return []
