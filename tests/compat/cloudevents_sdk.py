"""The CloudEvents SDK: structured mode, binary mode, and a batch of structured events."""

from __future__ import annotations

import json
import urllib.request
import uuid
from datetime import UTC, datetime

from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

from tests.compat import stored


def event(subject: str) -> CloudEvent:
    """An event with an extension."""
    attributes = {
        "id": str(uuid.uuid4()),
        "source": "/gateways/1",
        "type": "llm.call",
        "specversion": "1.0",
        "subject": subject,
        "time": datetime(2026, 10, 5, 11, tzinfo=UTC),
        "datacontenttype": "application/json",
        "region": "eu",
    }
    return CloudEvent(attributes=attributes, data={"input_tokens": 12})


def post(headers: dict[str, str], body: bytes) -> dict:
    headers = {**headers, "Authorization": f"Bearer {stored.KEY}"}
    request = urllib.request.Request(f"{stored.URL}/api/v1/events", data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main() -> None:
    """Sends in each mode, and looks for what was stored."""
    subject = stored.new_subject("Müller & Söhne")
    for name, write in (("structured", http.to_structured_event), ("binary", http.to_binary_event)):
        message = write(event(subject))
        stored.check(f"{name}: accepted", post(dict(message.headers), message.body)["accepted"], 1)
    texts = [http.to_structured_event(event(subject)).body for _ in range(10)]
    body = b"[" + b",".join(texts) + b"]"
    answer = post({"Content-Type": "application/cloudevents-batch+json"}, body)
    stored.check("batch: accepted", answer["accepted"], 10)
    events = stored.events(count=12, subject=subject)
    stored.check("stored: data", {json.dumps(each["data"]) for each in events}, {'{"input_tokens": 12}'})
    stored.check("stored: extension", {each["extensions"].get("region") for each in events}, {"eu"})
    stored.check("stored: time", {each["time"] for each in events}, {"2026-10-05T11:00:00Z"})


if __name__ == "__main__":
    main()
