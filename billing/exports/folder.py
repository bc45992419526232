"""A folder that holds one complete export or, while it is being written, the one before it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
# Files are written below this name and moved to their places when all of them are complete. Where it stands
# in a folder and nobody exports, an export was interrupted: the next one begins anew.
PARTIAL = ".partial"
# Stands in it from the first file moved: what lies in the folder may then come from an interrupted export.
MOVING = ".moving"
_SHAPE = {"month": str, "files": list, "totals": dict, "invoices": int}


class FolderUnusable(Exception):
    """The folder cannot take the export; the message says why and what to do."""


class ManifestMissing(Exception):
    """The folder holds no complete export."""


@contextmanager
def staging(*, folder: Path, month: str) -> Iterator[Path]:
    """A new empty folder for the export's files; hand it to `publish` when they are complete.

    Meanwhile nobody else exports to ``folder``. Raises FolderUnusable, also where it holds another month.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FolderUnusable(f"{folder} cannot be written to: {error.strerror}") from error
    try:
        _claim(lock, folder)
        _refuse_other_month(folder, month)
        partial = _emptied(folder / PARTIAL)
        try:
            yield partial
        except BaseException:
            if not (partial / MOVING).exists():
                shutil.rmtree(partial, ignore_errors=True)
            raise
    finally:
        os.close(lock)


def publish(*, folder: Path, manifest: dict[str, Any]) -> None:
    """Moves the staged files to their places, the manifest last: where it stands, its files are complete.

    Files of the folder's earlier export that this one does not have are removed. Raises FolderUnusable when a
    file that no export wrote would be overwritten; then nothing is moved.
    """
    staged = folder / PARTIAL
    earlier = paths(read_manifest(folder=folder)) if (folder / MANIFEST).exists() else set()
    new = paths(manifest)
    if not (staged / MOVING).exists():
        _refuse_foreign(folder, new - earlier)
    (staged / MANIFEST).write_bytes(manifest_bytes(manifest))
    for path in (*sorted(new), MANIFEST):
        _flush(staged / path)
    (staged / MOVING).touch()
    for path in sorted(new):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged / path, folder / path)
    for path in earlier - new:
        (folder / path).unlink(missing_ok=True)
    os.replace(staged / MANIFEST, folder / MANIFEST)
    shutil.rmtree(staged)


def read_manifest(*, folder: Path) -> dict[str, Any]:
    """The manifest of the export in the folder. Raises ManifestMissing."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if all(isinstance(manifest[key], kind) for key, kind in _SHAPE.items()):
            return dict(manifest)
    except FileNotFoundError:
        raise ManifestMissing(f"{folder} holds no complete export: there is no {MANIFEST}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ManifestMissing(f"{folder / MANIFEST} cannot be read: {error}") from error
    raise ManifestMissing(f"{folder / MANIFEST} is no manifest of an export")


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """The manifest as it stands in the file: the same bytes for the same content."""
    return (json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def fingerprint(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def paths(manifest: dict[str, Any]) -> set[str]:
    """The files of a manifest that lie inside the export's folder: no others, whoever wrote the manifest."""
    named = {str(entry["file"]) for entry in manifest["files"]}
    return {path for path in named if not Path(path).is_absolute() and ".." not in Path(path).parts}


def _flush(path: Path) -> None:
    """Has the file on the disk, so that a power cut after the renaming finds it whole."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _claim(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderUnusable(f"another export to {folder} is going on; wait for its end") from None


def _refuse_other_month(folder: Path, month: str) -> None:
    if not (folder / MANIFEST).exists():
        return
    held = read_manifest(folder=folder)["month"]
    if held != month:
        raise FolderUnusable(f"{folder} holds the export of {held}; give {month} a folder of its own")


def _emptied(partial: Path) -> Path:
    try:
        partial.mkdir(exist_ok=True)
        for left in partial.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
            elif left.name != MOVING:
                left.unlink()
    except OSError as error:
        raise FolderUnusable(f"{partial.parent} cannot be written to: {error.strerror}") from error
    return partial


def _refuse_foreign(folder: Path, new: set[str]) -> None:
    for path in sorted(new):
        if (folder / path).exists():
            raise FolderUnusable(f"{folder / path} was not written by an export; choose another folder")
