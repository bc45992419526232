"""The formats in which a month can be exported, by name."""

from __future__ import annotations

from collections.abc import Sequence

from billing.exports import csv, focus, journal, jsonl, parquet, pdf, xlsx, zip
from billing.exports.shape import Format

ALL: dict[str, Format] = {
    module.NAME: module for module in (csv, xlsx, jsonl, parquet, focus, journal, pdf, zip)
}


class FormatUnknown(Exception):
    """The name is not one of `ALL`; the message lists those."""


def named(names: Sequence[str]) -> list[Format]:
    """The formats of these names, each once and in the order of `ALL`; every format for no names.

    Raises FormatUnknown.
    """
    for name in names:
        if name not in ALL:
            raise FormatUnknown(f"unknown format {name!r}; the formats are {', '.join(ALL)}")
    return [module for name, module in ALL.items() if name in names or not names]
