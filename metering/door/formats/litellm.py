"""LiteLLM's StandardLoggingPayload, as its callback ``generic_api`` sends it: one call of a model.

Prompts and answers (``messages``, ``response``, headers and what else the payload holds) are never taken
over: only the members named here are.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from metering import ingesting, numbers, periods
from metering.door.formats import members as member
from metering.door.formats.members import EventUnreadable, Members
from metering.door.formats.usual import answer

__all__ = ["answer", "draft", "keepable", "recognizes"]

SOURCE = "litellm"
TYPE = "llm.call"
# Ours, theirs. prompt_tokens is the total, the cached tokens are a part of it.
_COPIED = (
    ("model", "model"),
    ("provider", "custom_llm_provider"),
    ("input_tokens", "prompt_tokens"),
    ("output_tokens", "completion_tokens"),
    ("total_tokens", "total_tokens"),
    ("status", "status"),
    ("call_type", "call_type"),
    ("response_cost", "response_cost"),
    ("cache_hit", "cache_hit"),
)
_NAMED = ("id", "startTime", "endTime", "end_user")
_NAMED_METADATA = ("user_api_key_user_id", "user_api_key_team_id", "usage_object")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def recognizes(members: Members) -> bool:
    """Whether an object is such a payload."""
    return "specversion" not in members and "call_type" in members and "response_cost" in members


def draft(members: Members) -> ingesting.Draft:
    """The call as an event ``llm.call`` that happened when it ended.

    The subject is the end user, else the user of the key, else its team.
    """
    metadata = member.inner(members, "metadata")
    ended_at = _instant(members, "endTime")
    return ingesting.Draft(
        source=SOURCE,
        id=member.value(members, "id"),
        type=TYPE,
        subject=_subject(members, metadata),
        time=ended_at,
        data=_ENCODER.encode(_data(members, metadata)),
    )


def keepable(members: Members) -> bytes:
    """The members that hold no prompts."""
    metadata = member.inner(members, "metadata")
    kept = {name: members[name] for name in (*_NAMED, *(theirs for _, theirs in _COPIED)) if name in members}
    inner = {name: metadata[name] for name in _NAMED_METADATA if name in metadata}
    return msgspec.json.encode({**kept, "metadata": inner})


def _subject(members: Members, metadata: Members) -> str:
    for holder, name in (
        (members, "end_user"),
        (metadata, "user_api_key_user_id"),
        (metadata, "user_api_key_team_id"),
    ):
        subject = member.value(holder, name)
        if subject not in (None, ""):
            return subject  # type: ignore[no-any-return]  # its type is checked with those of all drafts
    raise EventUnreadable(
        "it says nobody's usage: end_user, metadata.user_api_key_user_id and metadata.user_api_key_team_id "
        "are all missing"
    )


def _data(members: Members, metadata: Members) -> dict[str, Any]:
    data: dict[str, Any] = {
        ours: msgspec.Raw(text)
        for ours, theirs in _COPIED
        if (text := member.text(members, theirs)) is not None
    }
    usage = member.inner(metadata, "usage_object")
    prompt = member.inner(usage, "prompt_tokens_details")
    completion = member.inner(usage, "completion_tokens_details")
    parts = {
        "cached_input_tokens": member.text(prompt, "cached_tokens")
        or member.text(usage, "cache_read_input_tokens"),
        "cache_write_tokens": member.text(prompt, "cache_creation_tokens")
        or member.text(usage, "cache_creation_input_tokens"),
        "reasoning_tokens": member.text(completion, "reasoning_tokens"),
        "service_tier": member.text(usage, "service_tier"),
    }
    data |= {name: msgspec.Raw(text) for name, text in parts.items() if text is not None}
    milliseconds = _duration_ms(members)
    return data if milliseconds is None else data | {"duration_ms": milliseconds}


def _instant(members: Members, name: str) -> datetime | None:
    seconds = member.value(members, name)
    if seconds is None:
        return None
    try:
        return periods.parse_time_value(seconds)
    except periods.InstantInvalid as error:
        raise EventUnreadable(f"{name}: {error}") from None


def _duration_ms(members: Members) -> Decimal | None:
    started_at, ended_at = _instant(members, "startTime"), _instant(members, "endTime")
    if started_at is None or ended_at is None or ended_at < started_at:
        return None
    with numbers.exact():
        return numbers.trimmed(Decimal(periods.microseconds_between(started_at, ended_at)) / 1000)
