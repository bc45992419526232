"""Lago's events, as LiteLLM's callback ``lago`` and Lago's clients send them.

{"event": {"transaction_id", "external_subscription_id", "code", "timestamp", "properties"}}
{"events": [{"transaction_id", ...}, ...]}
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from metering import ingesting, periods
from metering.door.formats import members as member
from metering.door.formats.members import EventUnreadable, Members
from metering.door.formats.usual import keepable

__all__ = ["answer", "draft", "keepable", "recognizes"]

SOURCE = "lago"
AMOUNT = "precise_total_amount_cents"


def recognizes(members: Members) -> bool:
    """The wrapper of one event, or an event as it stands in a batch."""
    return "specversion" not in members and ("event" in members or "transaction_id" in members)


def draft(members: Members) -> ingesting.Draft:
    """The event: transaction_id is the id, code the type, external_subscription_id the subject."""
    event = member.inner(members, "event") if "event" in members else members
    if not event:
        raise EventUnreadable('event must be an object, such as {"event": {"transaction_id": ...}}')
    _check(event)
    return ingesting.Draft(
        source=SOURCE,
        id=member.value(event, "transaction_id"),
        type=member.value(event, "code"),
        subject=member.value(event, "external_subscription_id"),
        time=_time(event),
        data=_data(event),
    )


def answer(
    receipt: ingesting.Receipt, drafts: list[ingesting.Draft | None], is_batch: bool, at: datetime
) -> dict[str, object]:
    """Lago's own answer, with the members of our receipt beside it."""
    events = [None if draft is None else _event(draft, receipt, at) for draft in drafts]
    lago: dict[str, object] = {"events": events} if is_batch else {"event": events[0]}
    return lago | {
        name: getattr(receipt, name) for name in ("batch", "sha256", "accepted", "duplicates", "rejected")
    }


def _event(draft: ingesting.Draft, receipt: ingesting.Receipt, at: datetime) -> dict[str, object]:
    # Lago's client refuses an answer without a time.
    time = draft.time if isinstance(draft.time, datetime) else at
    return {
        "lago_id": f"{receipt.batch}-{draft.id}",
        "transaction_id": draft.id,
        "lago_customer_id": None,
        "external_subscription_id": draft.subject,
        "code": draft.type,
        "timestamp": periods.format_instant(time),
        "created_at": periods.format_instant(at),
        "properties": msgspec.Raw(draft.data),
    }


def _check(event: Members) -> None:
    for ours, theirs in (("id", "transaction_id"), ("type", "code"), ("subject", "external_subscription_id")):
        if member.value(event, theirs) in (None, ""):
            raise EventUnreadable(f"{theirs} is missing: it becomes the {ours} of the event")


def _time(event: Members) -> datetime | None:
    """``timestamp`` is in Unix seconds: an integer, a fraction, or either as a text."""
    timestamp = member.value(event, "timestamp")
    if timestamp is None:
        return None
    try:
        return periods.parse_time_value(timestamp)
    except periods.InstantInvalid as error:
        raise EventUnreadable(f"timestamp: {error}") from None


def _data(event: Members) -> bytes:
    properties = member.text(event, "properties") or b"{}"
    amount = member.text(event, AMOUNT)
    if amount is None:
        return properties
    return msgspec.json.encode({**member.of(properties), AMOUNT: msgspec.Raw(amount)})
