"""The bounds of a request, and the reading of a body within them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from metering.door.answers import Problem, too_large, unreadable, unsupported

BODY_BYTES_MAX = 10 * 1024 * 1024
EVENTS_MAX = 10_000
DRAINED_BYTES_MAX = 64 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


def raw_body(environ: Mapping[str, Any]) -> bytes:
    """The body as it came on the wire, of at most 10 MB. Raises `Problem` 413."""
    length = environ.get("CONTENT_LENGTH") or ""
    size_max = BODY_BYTES_MAX + 1
    if length.isdecimal():
        size_max = int(length)
        if size_max > BODY_BYTES_MAX:
            raise _body_too_large()
    stream = environ["wsgi.input"]
    parts: list[bytes] = []
    size = 0
    # To read gives the interpreter away: not once more, only to find that nothing follows.
    while size < size_max and (part := stream.read(min(_CHUNK_BYTES, size_max - size))):
        parts.append(part)
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise _body_too_large()
    return b"".join(parts)


def drain(environ: Mapping[str, Any]) -> None:
    """Reads on what was not read of a refused body, within reason.

    A client that is still sending when the connection closes would see a broken pipe, not the answer.
    """
    stream = environ["wsgi.input"]
    for _ in range(DRAINED_BYTES_MAX // _CHUNK_BYTES):
        if not stream.read(_CHUNK_BYTES):
            return


def plain_body(body: bytes, *, encoding: str) -> bytes:
    """The body without its Content-Encoding, which is none or gzip, of at most 10 MB.

    It is unpacked no further than that, however much it would become. Raises `Problem` 400, 413, 415.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip"):
        raise unsupported(
            f"Content-Encoding {encoding[:60]!r} is not taken; send the body plain or with gzip."
        )
    return _unzipped(body)


def _unzipped(body: bytes) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        while body:  # a gzip file is one or more members, one after the other
            member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            part = member.decompress(body, BODY_BYTES_MAX + 1 - size)
            parts.append(part)
            size += len(part)
            if size > BODY_BYTES_MAX:
                raise _body_too_large()
            if not member.eof:
                raise unreadable("The gzip data end too early.")
            body = member.unused_data
    except zlib.error as error:
        raise unreadable(f"The body is not gzip data, though Content-Encoding says so: {error}.") from None
    return b"".join(parts)


def _body_too_large() -> Problem:
    megabytes = BODY_BYTES_MAX // 1024**2
    return too_large(
        f"A body may have {megabytes} MB after decompression. Send the events in smaller batches."
    )
