"""Writes the files of a month: every format's, and a manifest with their hashes and totals."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

from billing.exports import folder as folders
from billing.exports import formats as known_formats
from billing.exports import invoices, totals
from billing.exports.shape import Format, Writer, Written
from billing.exports.vouchers import Kind, Voucher
from billing.models import Export

VERSION = 1
_MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


class MonthInvalid(ValueError):
    """A text that names no month."""


def parse(text: str) -> date:
    """The first day of the month that a text such as "2020-05" names. Raises MonthInvalid."""
    match = _MONTH.fullmatch(text)
    if match is None:
        raise MonthInvalid(f"{text[:40]!r} is no month; write it as 2020-05")
    return date(int(match.group(1)), int(match.group(2)), 1)


def write(
    *,
    month: date,
    formats: Sequence[str],
    folder: Path,
    at: datetime,
    by: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Export:
    """The record of an export of the month's issued invoices, whose files now stand in ``folder``.

    ``month``: any day of it. ``formats``: names of `formats.ALL`, none for all. ``progress`` is told
    (vouchers done, vouchers in all) after each one. The files are the same bytes each time while the month's
    invoices are the same: ``at`` and ``by`` stand in the record only. No file stands under its name before
    all are complete.
    Raises formats.FormatUnknown and folder.FolderUnusable.
    """
    month = month.replace(day=1)
    manifest = files(month=month, formats=formats, folder=folder, asked_at=at, progress=progress)
    return Export.objects.create(
        month=month,
        made_at=at,
        made_by=by,
        formats=list(formats),
        state=Export.State.DONE,
        ended_at=at,
        folder=str(folder.resolve()),
        manifest=manifest,
    )


def files(
    *,
    month: date,
    formats: Sequence[str],
    folder: Path,
    asked_at: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The manifest of the month's files, which now stand in ``folder``. See `write`; no record is kept.

    ``asked_at``: when the export was asked for: what is voided later is left to a later month.
    """
    chosen = known_formats.named(formats)
    with folders.staging(folder=folder, month=f"{month:%Y-%m}") as staged:
        counted = _Counted()
        written = _written(month, chosen, staged, counted, asked_at, progress)
        manifest = _manifest(month, written, staged, counted)
        folders.publish(folder=folder, manifest=manifest)
    return manifest


class _Counted:
    """What went into the files, counted beside the writers so that their totals can be held against it."""

    def __init__(self) -> None:
        self.invoices = 0
        self.void = 0
        self.credit_notes = 0
        self.totals = totals.Totals()

    def add(self, voucher: Voucher) -> None:
        if voucher.is_void:
            self.void += 1
            return
        if voucher.kind == Kind.CREDIT_NOTE:
            self.credit_notes += 1
        else:
            self.invoices += 1
        self.totals.add(voucher.currency, voucher.total)


def _written(
    month: date,
    chosen: list[Format],
    staged: Path,
    counted: _Counted,
    asked_at: datetime | None,
    progress: Callable[[int, int], None] | None,
) -> list[tuple[Format, Written]]:
    expected = invoices.count(month=month) if progress else 0
    with ExitStack() as stack:
        writers: list[tuple[Format, Writer]] = [
            (each, stack.enter_context(closing(each.writer(folder=staged, month=month)))) for each in chosen
        ]
        has_inputs = any(each.READS_INPUTS for each in chosen)
        stream = invoices.stream(month=month, has_inputs=has_inputs, asked_at=asked_at)
        for done, voucher in enumerate(stream, start=1):
            counted.add(voucher)
            for _format, writer in writers:
                writer.add(voucher)
            if progress:
                progress(done, max(done, expected))
        return [(each, written) for each, writer in writers for written in writer.finish()]


def _manifest(
    month: date, written: list[tuple[Format, Written]], staged: Path, counted: _Counted
) -> dict[str, Any]:
    return {
        "version": VERSION,
        "month": f"{month:%Y-%m}",
        "invoices": counted.invoices,
        "void": counted.void,
        "credit_notes": counted.credit_notes,
        "totals": totals.texts(counted.totals),
        "files": [_entry(each, one, staged) for each, one in written],
    }


def _entry(each: Format, one: Written, staged: Path) -> dict[str, Any]:
    size, sha256 = folders.fingerprint(staged / one.path)
    return {
        "file": one.path,
        "format": each.NAME,
        "content_type": each.CONTENT_TYPE,
        "rows": one.rows,
        "bytes": size,
        "sha256": sha256,
        "totals": totals.texts(one.totals),
    }
