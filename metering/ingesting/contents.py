"""What an event says, in a form that is equal exactly when two events say the same.

An event is known by the hash of its source and id, what it says by the hash of its type, subject, time and
data as canonical JSON: members sorted, numbers by value (1.0 is 1, 1e-5 is 0.00001), null members left out. A
member named twice counts as PostgreSQL's jsonb reads it: the last one stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

import msgspec

HASH_BYTES = 16
DEPTH_MAX = 32
NUMBER_LENGTH_MAX = 60
NUMBER_DIGITS_MAX = 40
NUMBER_EXPONENT_MAX = 30

# Wide enough for every number within the bounds, so that normalizing never rounds.
_WIDE = Context(prec=2 * (NUMBER_DIGITS_MAX + NUMBER_EXPONENT_MAX))
_INTEGER_MAX = 10**NUMBER_DIGITS_MAX


class ContentInvalid(ValueError):
    """A JSON value that cannot be stored; the message says what is wrong with it, without naming it."""


class _NumberOutOfBounds(Exception):
    """Raised out of the decoder, which would turn a ValueError into an error of its own."""


def key(*, source: str, id: str) -> bytes:
    """The 16 bytes by which an event is known: its source and id, which a JSON array keeps apart."""
    return hash16(_ENCODER.encode((source, id)))


def content(*, type: str, subject: str, time: int | None, data: Mapping[str, Any]) -> bytes:
    """The 16 bytes of what an event says. ``time``: microseconds since 1970 as the sender gave it, or None.

    ``data`` as `read` returns it.
    """
    return hash16(_ENCODER.encode((type, subject, time, data)))


def hash16(text: bytes) -> bytes:
    """The first 16 bytes of the SHA-256 of a text."""
    return hashlib.sha256(text).digest()[:HASH_BYTES]


def read(text: bytes) -> Any:
    """A JSON value without its null members; numbers are int, or Decimal without trailing zeros, never float.

    Two values are equal if they say the same. Raises `ContentInvalid` for what is no JSON, for more than 32
    levels of nesting, for NUL characters, and for numbers of more than 60 characters, more than 40 digits, or
    an exponent outside -30 to 30: PostgreSQL cannot store the ones and would blow up the others.
    """
    try:
        value = _DECODER.decode(text)
    except _NumberOutOfBounds as error:
        raise ContentInvalid(str(error)) from None
    except RecursionError:
        raise ContentInvalid(f"it is nested deeper than {DEPTH_MAX} levels") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ContentInvalid(f"it cannot be read as JSON: {error}") from None
    openings = text.count(b"{") + text.count(b"[")
    _check(text, value, openings)
    if openings == 1 and type(value) is dict:
        has_nulls = None in value.values()
    else:
        has_nulls = b"null" in text
    return _without_nulls(value) if has_nulls else value


def _check(text: bytes, value: Any, openings: int) -> None:
    """Looks closer only where the text shows signs of what is refused; most texts show none.

    ``openings``: how many brackets and braces open in the text.
    """
    if openings > DEPTH_MAX and _depth(value) > DEPTH_MAX:
        raise ContentInvalid(f"it is nested deeper than {DEPTH_MAX} levels")
    # Looked for in the text: a member that a later one of the same name replaces would be refused, too.
    if b"\\" in text and has_nul(text):
        raise ContentInvalid("it holds the character NUL (\\u0000), which PostgreSQL cannot store")
    if b"0" * (NUMBER_DIGITS_MAX + 1) in text.translate(_DIGITS_AS_ZEROS) and _has_long_integer(value):
        raise ContentInvalid(f"a number in it has more than {NUMBER_DIGITS_MAX} digits")


def has_nul(text: bytes) -> bool:
    """Whether a JSON text holds an escaped NUL (a backslash that is itself escaped begins no escape)."""
    return b"\\u0000" in text.replace(b"\\\\", b"")


def _depth(value: Any) -> int:
    depth, layer = 0, [value]
    while layer := [each for each in layer if isinstance(each, dict | list)]:
        depth += 1
        layer = [inner for each in layer for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _has_long_integer(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_long_integer(each) for each in value.values())
    if isinstance(value, list):
        return any(_has_long_integer(each) for each in value)
    return type(value) is int and abs(value) >= _INTEGER_MAX


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value


def _number(text: str) -> int | Decimal:
    """The value of a JSON number with a fraction or an exponent."""
    if len(text) <= NUMBER_DIGITS_MAX and "e" not in text and "E" not in text:  # nearly all; the rest agrees
        short = text.rstrip("0")
        return int(short[:-1]) if short[-1] == "." else Decimal(short)
    mantissa, _, exponent = text.lower().partition("e")
    digits = mantissa.translate(_NO_POINT_OR_SIGN).lstrip("0")
    if len(text) > NUMBER_LENGTH_MAX or len(digits) > NUMBER_DIGITS_MAX:
        raise _NumberOutOfBounds(f"a number in it has more than {NUMBER_DIGITS_MAX} digits")
    if exponent and abs(int(exponent)) > NUMBER_EXPONENT_MAX:
        raise _NumberOutOfBounds(
            f"a number in it has an exponent outside -{NUMBER_EXPONENT_MAX} to {NUMBER_EXPONENT_MAX}"
        )
    value = Decimal(text)
    whole = int(value)
    return whole if whole == value else value.normalize(_WIDE)


_NO_POINT_OR_SIGN = str.maketrans("", "", ".-")
_DIGITS_AS_ZEROS = bytes(ord("0") if chr(code).isdigit() and code < 128 else code for code in range(256))
_DECODER = msgspec.json.Decoder(float_hook=_number)
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")
