"""Screens what a sender says happened: a draft becomes a fact that can be stored, or a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from metering import periods
from metering.ingesting import contents
from metering.models import RejectedEvent

EVENT_BYTES_MAX = 64 * 1024
TEXT_BYTES_MAX = 1024
EARLIEST_AT = datetime(2000, 1, 1, tzinfo=UTC)
AHEAD_MAX = timedelta(hours=24)
VOID_TYPE = "meterbook.void"

# (draft, its time in microseconds since 1970, its data) -> why no meter can use the event, or None
Judge = Callable[["Draft", int, Mapping[str, Any]], str | None]


class Draft(msgspec.Struct, gc=False):
    """An event as a format read it, not checked yet: any member may be missing (None) or of a wrong type.

    ``time``: RFC 3339 text (without offset: UTC), or an instant that the format read itself. ``data`` is JSON
    text. ``extensions``: further members, each as JSON text.
    """

    source: Any
    id: Any
    type: Any
    subject: Any
    time: Any = None
    data: bytes = b"{}"
    extensions: dict[str, bytes] | None = None
    size: int = 0


class Fact(msgspec.Struct, gc=False):
    """An event that passed the screening. ``time`` is in microseconds since 1970, ``data`` JSON text.

    ``unmeterable`` says why no meter can use it; such an event is stored only if it was before.
    """

    index: int
    key: bytes
    content: bytes
    time: int
    source: str
    id: str
    type: str
    subject: str
    data: bytes
    extensions: bytes | None
    unmeterable: str | None


class Refusal(msgspec.Struct, gc=False):
    """An event that is turned away: ``code`` is one of `RejectedEvent.Code`, ``body`` its JSON text.

    ``id`` and ``type`` are "" where they are unknown.
    """

    index: int
    id: str
    code: str
    message: str
    key: bytes
    content: bytes
    body: bytes
    type: str = ""


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def screen(*, index: int, draft: Draft, received_at: datetime, judge: Judge) -> Fact | Refusal:
    """What `Screening` answers, for a single draft."""
    return Screening(received_at=received_at, judge=judge).screened(index, draft)


class Screening:
    """The screening of the events that came at one instant."""

    def __init__(self, *, received_at: datetime, judge: Judge) -> None:
        self._received_at = received_at
        self._received = _microseconds(received_at)
        self._latest = self._received + AHEAD_MAX // periods.MICROSECOND
        self._judge = judge

    def screened(self, index: int, draft: Draft) -> Fact | Refusal:
        """The fact that a draft states, or why it is turned away. ``index``: its place in the request.

        An event without a time happened when it was received, but says no time: a retry equals it.
        """
        try:
            return self._fact(index, draft)
        except _Refused as error:
            return refuse(index=index, draft=draft, code=error.code, message=error.message)

    def _fact(self, index: int, draft: Draft) -> Fact:
        if draft.size > EVENT_BYTES_MAX:
            raise _Refused(
                "too_large", f"the event has {draft.size:,} bytes; at most {EVENT_BYTES_MAX:,} are taken"
            )
        source, id, type_, subject = draft.source, draft.id, draft.type, draft.subject
        for name, text in (("id", id), ("source", source), ("type", type_), ("subject", subject)):
            if type(text) is not str or not text or len(text) > TEXT_BYTES_MAX // 4 or "\0" in text:
                _check_text(name, text)
        if type_ == VOID_TYPE:
            raise _Refused("invalid", "voids are not built yet: the event that it names still counts")
        given = None if draft.time is None else _microseconds(draft.time)
        time = self._received if given is None else given
        if not _EARLIEST <= time <= self._latest:
            self._refuse_time(time)
        data = _data(draft.data)
        return Fact(
            index=index,
            key=contents.key(source=source, id=id),
            content=contents.content(type=type_, subject=subject, time=given, data=data),
            time=time,
            source=source,
            id=id,
            type=type_,
            subject=subject,
            data=draft.data,
            extensions=None if not draft.extensions else _extensions(draft.extensions),
            unmeterable=self._judge(draft, time, data),
        )

    def _refuse_time(self, time: int) -> None:
        if time < _EARLIEST:
            raise _Refused("time", "time is before 2000-01-01T00:00:00Z, the earliest that is taken")
        raise _Refused(
            "time",
            f"time is more than {AHEAD_MAX // timedelta(hours=1)} hours ahead: "
            f"the event arrived at {periods.format_instant(self._received_at)}",
        )


def refuse(*, index: int, draft: Draft, code: str, message: str) -> Refusal:
    """The refusal of a draft, whatever state it is in."""
    body = _body(draft.source, draft.id, draft.type, draft.subject, draft.time, draft.data, draft.extensions)
    is_known = isinstance(draft.source, str) and isinstance(draft.id, str)
    content = contents.hash16(body)
    return Refusal(
        index=index,
        id=draft.id if isinstance(draft.id, str) else "",
        code=code,
        message=message,
        key=contents.key(source=draft.source, id=draft.id) if is_known else content,
        content=content,
        body=body,
        type=draft.type if isinstance(draft.type, str) else "",
    )


def refuse_text(*, index: int, text: bytes, kept: bytes, message: str) -> Refusal:
    """The refusal of a text in which no event could be read. ``kept``: what of it may be stored."""
    content = contents.hash16(text)
    return Refusal(
        index=index,
        id="",
        code=RejectedEvent.Code.INVALID,
        message=message,
        key=content,
        content=content,
        body=kept,
    )


def refuse_fact(*, fact: Fact, code: str, message: str) -> Refusal:
    """The refusal of an event that passed the screening, for a reason found later."""
    # Without a time as it was sent: mended and replayed, it shall still equal a retry of its sender.
    timeless = contents.content(
        type=fact.type, subject=fact.subject, time=None, data=contents.read(fact.data)
    )
    is_timeless = fact.content == timeless
    at = None if is_timeless else periods.EPOCH + fact.time * periods.MICROSECOND
    extensions = (
        None if fact.extensions is None else msgspec.json.decode(fact.extensions, type=dict[str, msgspec.Raw])
    )
    return Refusal(
        index=fact.index,
        id=fact.id,
        code=code,
        message=message,
        key=fact.key,
        content=fact.content,
        body=_body(fact.source, fact.id, fact.type, fact.subject, at, fact.data, extensions),
        type=fact.type,
    )


_MEANING = {
    "id": "it is new for each event of its source, such as the id of a request",
    "source": "it names the system that reports, such as gateway-1",
    "type": "it says what happened, such as llm.call",
    "subject": "it says whose usage it is, such as the id of a customer or a team",
}


def _check_text(name: str, text: object) -> None:
    if text is None or text == "":
        raise _Refused("invalid", f"{name} is missing: {_MEANING[name]}")
    if not isinstance(text, str):
        raise _Refused("invalid", f"{name} must be a text in quotes; {_MEANING[name]}")
    if "\0" in text:
        raise _Refused("invalid", f"{name} holds the character NUL (\\u0000), which cannot be stored")
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise _Refused("too_large", f"{name} is longer than {TEXT_BYTES_MAX:,} bytes")


def _microseconds(time: object) -> int:
    """Microseconds since 1970."""
    if isinstance(time, str):
        text = time
        # Nearly all are written in this form, which Python's own reader takes at a tenth of the cost.
        if _PLAIN_TIME(text):
            try:
                return (datetime.fromisoformat(text) - periods.EPOCH) // periods.MICROSECOND
            except ValueError:  # such as the 30th of February; said better below
                pass
        try:
            time = periods.parse_instant(text, naive_is_utc=True)
        except periods.InstantInvalid as error:
            # The years 1 and 9999 can be written with an offset that leads out of all calendars.
            raise _Refused("time" if text[:4] in ("0001", "9999") else "invalid", f"time: {error}") from None
    if not isinstance(time, datetime):
        raise _Refused("invalid", "time must be a text such as 2026-10-01T00:00:00Z")
    return (time - periods.EPOCH) // periods.MICROSECOND


_PLAIN_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"
).fullmatch
_EARLIEST = (EARLIEST_AT - periods.EPOCH) // periods.MICROSECOND


def _data(text: bytes) -> dict[str, Any]:
    try:
        data = contents.read(text)
    except contents.ContentInvalid as error:
        raise _Refused("invalid", f"data: {error}") from None
    if not isinstance(data, dict):
        raise _Refused("invalid", 'data must be a JSON object, such as {"input_tokens": 12}')
    return data


def _extensions(members: Mapping[str, bytes]) -> bytes | None:
    kept = {}
    for name, text in members.items():
        try:
            value = contents.read(text)
        except contents.ContentInvalid as error:
            raise _Refused("invalid", f"{name[:60]}: {error}") from None
        if "\0" in name:
            raise _Refused(
                "invalid", "a member's name holds the character NUL (\\u0000), which cannot be stored"
            )
        if value is not None:
            kept[name] = msgspec.Raw(text)
    return msgspec.json.encode(kept) if kept else None


def _body(
    source: object,
    id: object,
    type: object,
    subject: object,
    time: object,
    data: bytes,
    extensions: Mapping[str, Any] | None,
) -> bytes:
    """The event as one CloudEvent in JSON: what a person sees, mends and sends again."""
    members = {"id": id, "source": source, "type": type, "subject": subject, "time": time}
    body = {"specversion": "1.0"} | {name: value for name, value in members.items() if value is not None}
    body |= {name: msgspec.Raw(text) for name, text in (extensions or {}).items()}
    return msgspec.json.encode(
        body | {"data": msgspec.Raw(data) if _is_json(data) else data.decode(errors="replace")}
    )


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True
