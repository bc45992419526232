"""PostgreSQL arrays in the binary form of the wire: a batch of rows as a handful of parameters.

psycopg adapts a list element by element, in Python; for 10,000 events of ten columns that costs more than
PostgreSQL's own work. Here each column is joined at once, and the server has no text to parse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import pack
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

_NULL = b"\xff\xff\xff\xff"
# PostgreSQL counts its timestamps from 2000-01-01, in microseconds.
_POSTGRES_EPOCH = 946_684_800_000_000


class Uuids(bytes):
    """An array of uuid."""


class Timestamps(bytes):
    """An array of timestamptz."""


class Bigints(bytes):
    """An array of bigint."""


class Texts(bytes):
    """An array of text."""


class Jsonbs(bytes):
    """An array of jsonb."""


# PostgreSQL's own type numbers, which never change: of the element, and of the array.
_TYPES: dict[type, tuple[int, int]] = {
    Uuids: (2950, 2951),
    Timestamps: (1184, 1185),
    Bigints: (20, 1016),
    Texts: (25, 1009),
    Jsonbs: (3802, 3807),
}


def uuids(values: Sequence[bytes]) -> Uuids:
    """An array of uuid from 16 bytes each."""
    return Uuids(_head(Uuids, values) + _LENGTH_16.join([b"", *values]))


def timestamps(values: Sequence[int]) -> Timestamps:
    """An array of timestamptz from microseconds since 1970."""
    return Timestamps(_head(Timestamps, values) + _integers(value - _POSTGRES_EPOCH for value in values))


def bigints(values: Sequence[int]) -> Bigints:
    """An array of bigint."""
    return Bigints(_head(Bigints, values) + _integers(values))


def texts(values: Sequence[str]) -> Texts:
    """An array of text; none of them may hold NUL."""
    return Texts(_head(Texts, values) + b"".join([_sized(value.encode()) for value in values]))


def jsonbs(values: Sequence[bytes | None]) -> Jsonbs:
    """An array of jsonb from JSON texts; None is SQL's null."""
    # jsonb travels as the version of its form, which is 1, and the text.
    elements = [_NULL if value is None else _sized(b"\x01" + value) for value in values]
    return Jsonbs(_head(Jsonbs, values) + b"".join(elements))


def cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """A cursor that binds parameters at the server and takes the arrays of this module."""
    opened = psycopg.Cursor(connection)
    for kind, dumper in _DUMPERS.items():
        opened.adapters.register_dumper(kind, dumper)
    return opened


_LENGTH_16 = pack("!i", 16)


def _head(kind: type, values: Sequence[object]) -> bytes:
    """Number of dimensions, whether there may be nulls, type of the element; length and first index."""
    return pack("!iiIii", 1, 1, _TYPES[kind][0], len(values), 1)


def _integers(values: Iterable[int]) -> bytes:
    return b"".join([pack("!iq", 8, value) for value in values])


def _sized(element: bytes) -> bytes:
    return len(element).to_bytes(4, "big") + element


def _dumper(array_type: int) -> type[Dumper]:
    class ArrayDumper(Dumper):
        format = pq.Format.BINARY
        oid = array_type

        def dump(self, obj: bytes) -> bytes:
            return obj

    return ArrayDumper


_DUMPERS = {kind: _dumper(array_type) for kind, (_, array_type) in _TYPES.items()}
