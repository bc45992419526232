"""Pieces of SQL with their parameters, put together by name. No user's text ever becomes part of the SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Fragment:
    """SQL with ``%s`` for each of the parameters, in their order: ready for a cursor's execute."""

    sql: str
    params: tuple[Any, ...] = ()


def sql(template: str, **values: Any) -> Fragment:
    """The template with each ``{name}`` replaced: a Fragment by its SQL, anything else by a parameter.

    Braces around anything but a name stay as they are, so that ``#>> '{}'`` may be written.
    """
    text: list[str] = []
    params: list[Any] = []
    for place, piece in enumerate(_PLACE.split(template)):
        if place % 2 == 0:
            text.append(piece)
            continue
        value = values[piece]
        if isinstance(value, Fragment):
            text.append(value.sql)
            params += value.params
        else:
            text.append("%s")
            params.append(value)
    return Fragment("".join(text), tuple(params))


def joined(separator: str, fragments: Iterable[Fragment]) -> Fragment:
    """The fragments one after another with the separator between them."""
    each = list(fragments)
    return Fragment(
        separator.join(one.sql for one in each), tuple(param for one in each for param in one.params)
    )
