"""Whether the files of an export are what its manifest says, and the manifest what the database holds."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.exports import folder as folders
from billing.exports import formats, invoices, month, totals
from billing.exports.totals import Totals


def differences(*, folder: Path) -> list[str]:
    """A sentence for each difference between the folder's files, its manifest and the database.

    Files are read and counted again. Raises folder.ManifestMissing where the folder holds no export.
    """
    manifest = folders.read_manifest(folder=folder)
    try:
        return [*_of_files(folder, manifest), *_of_formats(manifest), *_of_database(manifest)]
    except (KeyError, TypeError, AttributeError, ArithmeticError, month.MonthInvalid) as error:
        raise folders.ManifestMissing(
            f"{folder / folders.MANIFEST} is no manifest of an export: {type(error).__name__} {error}"
        ) from error


def _of_files(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    inside = folders.paths(manifest)
    for entry in manifest["files"]:
        path = entry["file"]
        if path not in inside:
            yield f"{path}: lies outside the export's folder"
        elif not (folder / path).is_file():
            yield f"{path}: is missing"
        elif folders.fingerprint(folder / path) != (entry["bytes"], entry["sha256"]):
            yield f"{path}: was changed after it was written (size or SHA-256 differs)"
        else:
            yield from _of_content(folder, entry)


def _of_content(folder: Path, entry: dict[str, Any]) -> Iterator[str]:
    path = entry["file"]
    module = formats.ALL.get(entry["format"])
    if module is None:
        yield f"{path}: its format {entry['format']!r} is unknown here"
        return
    try:
        counted = module.tally(folder=folder, path=path)
    except ValueError as error:
        yield f"{path}: cannot be counted: {error}"
        return
    if counted and counted.rows != entry["rows"]:
        yield f"{path}: has {counted.rows} rows, the manifest says {entry['rows']}"
    if counted and not _is_same(sums := totals.texts(counted.totals), entry["totals"]):
        yield f"{path}: adds up to {_said(sums)}, the manifest says {_said(entry['totals'])}"


def _of_formats(manifest: dict[str, Any]) -> Iterator[str]:
    """Every file with a table carries the month's totals; files of one invoice carry them together."""
    for name in sorted({entry["format"] for entry in manifest["files"]}):
        entries = [entry for entry in manifest["files"] if entry["format"] == name]
        is_one_each = name in formats.ALL and formats.ALL[name].IS_FILE_PER_INVOICE
        for entries_together in [entries] if is_one_each else [[entry] for entry in entries]:
            together = Totals().merge(_decimals(entry["totals"]) for entry in entries_together)
            if not _is_same(totals.texts(together), manifest["totals"]):
                what = f"the {name} files" if is_one_each else entries_together[0]["file"]
                yield f"{what}: the totals are not those of the month, {_said(manifest['totals'])}"


def _of_database(manifest: dict[str, Any]) -> Iterator[str]:
    count, sums = invoices.totals(month=month.parse(manifest["month"]))
    now = totals.texts(sums)
    if count != manifest["invoices"]:
        yield f"the database has {count} invoices of {manifest['month']}, the export {manifest['invoices']}"
    if not _is_same(now, manifest["totals"]):
        yield f"the database adds up to {_said(now)}, the export to {_said(manifest['totals'])}"


def _is_same(texts: dict[str, str], others: dict[str, str]) -> bool:
    """Whether the sums are equal; nothing in a currency and no word of it are the same."""
    return {key: sum for key, sum in _decimals(texts).items() if sum} == {
        key: sum for key, sum in _decimals(others).items() if sum
    }


def _decimals(texts: dict[str, str]) -> dict[str, Decimal]:
    return {currency: Decimal(text) for currency, text in texts.items()}


def _said(texts: dict[str, str]) -> str:
    return ", ".join(f"{currency} {amount}" for currency, amount in sorted(texts.items())) or "nothing"
