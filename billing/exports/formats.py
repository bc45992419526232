"""The formats in which a month can be exported, by name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from billing.exports.shape import Format

NAMES = ("csv", "xlsx", "jsonl", "parquet", "focus", "journal", "pdf", "zip")


class _Formats(Mapping[str, Format]):
    """The modules of this folder by name, each loaded when it is asked for.

    Some load libraries of tens of megabytes, which a web process that only lists them does not need.
    """

    def __getitem__(self, name: str) -> Format:
        if name not in NAMES:
            raise KeyError(name)
        return cast(Format, importlib.import_module(f"billing.exports.{name}"))

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


ALL: Mapping[str, Format] = _Formats()


class FormatUnknown(Exception):
    """The name is not one of `ALL`; the message lists those."""


def named(names: Sequence[str]) -> list[Format]:
    """The formats of these names, each once and in the order of `ALL`; every format for no names.

    Raises FormatUnknown.
    """
    check(names)
    return [ALL[name] for name in NAMES if name in names or not names]


def check(names: Sequence[str]) -> None:
    """Raises FormatUnknown for a name that is not one of `ALL`."""
    for name in names:
        if name not in NAMES:
            raise FormatUnknown(f"unknown format {name!r}; the formats are {', '.join(NAMES)}")
