"""Lago's own Python client: one event, and a batch."""

from __future__ import annotations

import uuid

from lago_python_client.client import Client
from lago_python_client.models import BatchEvent, Event

from tests.compat import stored


def event(subject: str, n: int) -> Event:
    """An event as Lago's manual makes it."""
    return Event(
        transaction_id=str(uuid.uuid4()),
        external_subscription_id=subject,
        code="lago_call",
        timestamp=1_760_000_000 + n,
        properties={"tokens": n, "gpu": "H100"},
    )


def main() -> None:
    """Sends both ways, and looks for what was stored."""
    client = Client(api_key=stored.KEY, api_url=f"{stored.URL}/")
    subject = stored.new_subject("lago")
    first = event(subject, 1)
    answer = client.events.create(first)
    stored.check("create: answer", answer.transaction_id, first.transaction_id)
    batch = [event(subject, n) for n in range(2, 12)]
    client.events.batch_create(BatchEvent(events=batch))
    events = stored.events(count=11, subject=subject, source="lago")
    stored.check("stored: tokens", sum(each["data"]["tokens"] for each in events), 66)
    stored.check("stored: time of the last", events[0]["time"], "2025-10-09T08:53:31Z")


if __name__ == "__main__":
    main()
