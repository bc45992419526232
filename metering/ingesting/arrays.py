"""PostgreSQL's binary forms: a batch of rows as a handful of parameters, or as rows of COPY.

psycopg adapts a list element by element, in Python; for 10,000 events of ten columns that costs more than
PostgreSQL's own work. Here each column is joined at once, and the server has no text to parse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct, pack
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

# PostgreSQL counts its timestamps from 2000-01-01, in microseconds.
POSTGRES_EPOCH = 946_684_800_000_000

# An element is its length and its bytes.
_UUID_LENGTH = pack("!i", 16)
_integer = Struct("!iq").pack


class Uuids(bytes):
    """An array of uuid."""


class Timestamps(bytes):
    """An array of timestamptz."""


class Bigints(bytes):
    """An array of bigint."""


# PostgreSQL's own type numbers, which never change: of the element, and of the array.
_TYPES: dict[type, tuple[int, int]] = {
    Uuids: (2950, 2951),
    Timestamps: (1184, 1185),
    Bigints: (20, 1016),
}


def uuid_elements(values: Sequence[bytes]) -> bytes:
    """The elements of an array of uuid, from 16 bytes each."""
    return _UUID_LENGTH.join([b"", *values])


def timestamp_elements(values: Iterable[int]) -> bytes:
    """The elements of an array of timestamptz, from microseconds since 1970."""
    return b"".join([_integer(8, value - POSTGRES_EPOCH) for value in values])


def bigint_element(value: int) -> bytes:
    """An element of an array of bigint."""
    return _integer(8, value)


def array(kind: type, elements: Sequence[bytes], *, count: int) -> Any:
    """An array of a kind from the bytes of its elements, ``count`` of them in all."""
    # Number of dimensions, whether there may be nulls, type of the element; length and first index.
    return kind(b"".join([pack("!iiIii", 1, 0, _TYPES[kind][0], count, 1), *elements]))


def uuids(values: Sequence[bytes]) -> Uuids:
    """An array of uuid from 16 bytes each."""
    found: Uuids = array(Uuids, [uuid_elements(values)], count=len(values))
    return found


def bigints(values: Sequence[int]) -> Bigints:
    """An array of bigint."""
    found: Bigints = array(Bigints, [bigint_element(value) for value in values], count=len(values))
    return found


def cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """A cursor that binds parameters at the server and takes the arrays of this module."""
    opened = psycopg.Cursor(connection)
    for kind, dumper in _DUMPERS.items():
        opened.adapters.register_dumper(kind, dumper)
    return opened


def _dumper(array_type: int) -> type[Dumper]:
    class ArrayDumper(Dumper):
        format = pq.Format.BINARY
        oid = array_type

        def dump(self, obj: bytes) -> bytes:
            return obj

    return ArrayDumper


_DUMPERS = {kind: _dumper(array_type) for kind, (_, array_type) in _TYPES.items()}
