"""Reads a body into events: which format it is, and each event alone, so that a bad one harms no other."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import NamedTuple

import msgspec

from metering import ingesting
from metering.door import limits
from metering.door.answers import too_large, unreadable, unsupported
from metering.door.formats import binary, cloudevents
from metering.door.formats import members as member
from metering.door.formats.members import EventUnreadable, Members

JSON = frozenset({"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"})
NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_BOM = b"\xef\xbb\xbf"
_BODY = msgspec.json.Decoder(msgspec.Raw)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_SPACE = b" \t\r\n"


class Unreadable(NamedTuple):
    """What stands where an event should be. ``text``: as received, ``kept``: what of it may be stored."""

    text: bytes
    kept: bytes
    message: str


class Reading(NamedTuple):
    """The events of a body in order. ``format`` is the one that answers."""

    events: Sequence[ingesting.Draft | Unreadable]
    format: ModuleType
    is_batch: bool


def read(*, headers: Mapping[str, str], body: bytes, formats: Sequence[ModuleType]) -> Reading:
    """The events of a decompressed body. ``headers`` have lower-case names, ``formats`` are tried in order.

    Raises `Problem`: 400 for a body that cannot be read at all, 413 for too many events, 415.
    """
    media_type = _media_type(headers.get("content-type", ""))
    is_structured = media_type.startswith("application/cloudevents")
    if cloudevents in formats and not is_structured and binary.recognizes_headers(headers):
        return _binary(headers, body, media_type)
    if media_type not in JSON | NDJSON:
        raise unsupported(_wrong_type(media_type))
    body = body.removeprefix(_BOM)
    _check_utf8(body)
    reading = _lines(body, formats) if media_type in NDJSON else _json(body, formats)
    if len(reading.events) > limits.EVENTS_MAX:
        raise too_large(
            f"The body holds {len(reading.events):,} events; at most {limits.EVENTS_MAX:,} are taken at once."
        )
    return reading


def _media_type(header: str) -> str:
    """The type without its parameters. Raises `Problem` 415 for a charset other than UTF-8."""
    media_type, *parameters = header.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise unsupported(f"The charset {charset[:60]!r} is not taken: JSON is sent as UTF-8.")
    return media_type.strip().lower()


def _wrong_type(media_type: str) -> str:
    stated = f"Content-Type is {media_type[:100]!r}" if media_type else "The header Content-Type is missing"
    return (
        f"{stated}; send application/json, application/cloudevents+json, application/cloudevents-batch+json "
        "or application/x-ndjson."
    )


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise unreadable(f"It is not UTF-8: {error.reason} at byte {error.start}.") from None


def _binary(headers: Mapping[str, str], body: bytes, media_type: str) -> Reading:
    if body and media_type not in ("", "application/json") and not media_type.endswith("+json"):
        raise unsupported(
            f"With ce-* headers the body is the event's data, in JSON; {_wrong_type(media_type)}"
        )
    _check_utf8(body)
    try:
        event: ingesting.Draft | Unreadable = binary.draft(headers, body)
    except EventUnreadable as error:
        event = Unreadable(body, body, str(error))
    return Reading([event], cloudevents, False)


def _json(body: bytes, formats: Sequence[ModuleType]) -> Reading:
    """One event, an array of them, Lago's wrapper of a batch, or lines, by the look of it."""
    first = body.lstrip(_SPACE)[:1]
    if first == b"[":
        return _array(body, formats)
    if first == b"{":
        return _object(body, formats)
    if not first:
        raise unreadable("It is empty. Send one event as a JSON object, or an array of them.")
    raise unreadable("It is neither a JSON object nor an array of them.")


def _array(body: bytes, formats: Sequence[ModuleType]) -> Reading:
    if cloudevents in formats:
        drafts = cloudevents.drafts(body)
        if drafts is not None:
            return Reading(drafts, cloudevents, True)
    try:
        texts = [bytes(text) for text in _ARRAY.decode(body)]
    except (msgspec.MsgspecError, RecursionError) as error:
        texts = _texts_of_lenient_array(body, error)
    return _events(texts, formats, is_batch=True)


def _object(body: bytes, formats: Sequence[ModuleType]) -> Reading:
    if cloudevents in formats:
        drafts = cloudevents.drafts(b"[%s]" % body)
        if drafts is not None and len(drafts) == 1:
            return Reading(drafts, cloudevents, False)
    try:
        _BODY.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        if b"\n" in body.strip() and _is_json(body.lstrip().partition(b"\n")[0]):
            return _lines(body, formats)
        _texts_of_lenient_array(b"[%s]" % body, error)
    wrapped = _wrapped(body)
    if wrapped is not None:
        return _events(wrapped, formats, is_batch=True)
    return _events([body.strip()], formats, is_batch=False)


def _texts_of_lenient_array(body: bytes, fault: Exception) -> list[bytes]:
    """The texts of an array's elements where one of them holds what JSON allows and we do not.

    A cut surrogate pair, or a number of thousands of digits, is the fault of one event, not of the body.
    Raises `Problem` 400 where it is no JSON for Python's own reader either.
    """
    text = body.decode()
    texts: list[bytes] = []
    position = _after_space(text, text.index("[") + 1)
    try:
        while not (text[position] == "]" and not texts):
            _, end = _LENIENT.raw_decode(text, position)
            texts.append(text[position:end].encode())
            position = _after_space(text, end)
            if text[position] == "]":
                break
            if text[position] != ",":
                raise ValueError
            position = _after_space(text, position + 1)
        is_whole = _after_space(text, position + 1) == len(text)
    except (ValueError, IndexError, RecursionError):
        is_whole = False
    if not is_whole:
        raise unreadable(_fault(fault)) from None
    return texts


def _after_space(text: str, position: int) -> int:
    found = _NO_SPACE.search(text, position)
    return found.start() if found else len(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# Numbers stay texts: only the bounds of the elements are wanted.
_LENIENT = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)
_NO_SPACE = re.compile(r"[^ \t\r\n]")


def _wrapped(body: bytes) -> list[bytes] | None:
    """The events of ``{"events": [...]}``, or None."""
    try:
        members = member.of(body)
    except EventUnreadable:
        return None
    events = member.text(members, "events")
    if events is None or events[:1] != b"[" or "specversion" in members:
        return None
    return [bytes(text) for text in _ARRAY.decode(events)]


def _lines(body: bytes, formats: Sequence[ModuleType]) -> Reading:
    texts = [line for line in (line.strip() for line in body.split(b"\n")) if line]
    if not any(_is_json(text) for text in texts[: limits.EVENTS_MAX]):
        raise unreadable(
            "No line of it is a JSON object." if texts else "It is empty. Send one event a line."
        )
    return _events(texts, formats, is_batch=True)


def _is_json(text: bytes) -> bool:
    try:
        _BODY.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _events(texts: Sequence[bytes], formats: Sequence[ModuleType], *, is_batch: bool) -> Reading:
    """The format that answers is that of the first event that one of them recognizes."""
    if len(texts) > limits.EVENTS_MAX:  # before the work, not after it
        return Reading([Unreadable(b"", b"", "")] * len(texts), cloudevents, is_batch)
    events: list[ingesting.Draft | Unreadable] = []
    answering: ModuleType | None = None
    for text in texts:
        try:
            members = member.of(text)
        except EventUnreadable as error:
            events.append(Unreadable(text, _without_prompts(text), str(error)))
            continue
        recognized = next((each for each in formats if each.recognizes(members)), None)
        answering = answering or recognized
        events.append(_event(text, members, recognized or formats[-1]))
    return Reading(events, answering or formats[-1], is_batch)


def _event(text: bytes, members: Members, format: ModuleType) -> ingesting.Draft | Unreadable:
    try:
        draft: ingesting.Draft = format.draft(members)
    except EventUnreadable as error:
        return Unreadable(text, format.keepable(members), str(error))
    draft.size = len(text)
    return draft


def _without_prompts(text: bytes) -> bytes:
    """A text that cannot be read, unless it looks like a call with its prompts."""
    return b"" if any(name in text for name in (b'"messages"', b'"response"')) else text


def _fault(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "It is nested too deeply."
    return f"It is not JSON: {error}."
