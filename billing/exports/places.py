"""Where the files of exports lie: below EXPORTS_DIR, or in a storage such as S3, and how they are read there.

The storage is Django's, by the name "exports" in STORAGES. Without it, files lie in folders.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import InvalidStorageError, Storage, storages

from billing.exports import folder as folders
from billing.models import Export

NAME = "exports"


class StorageUnusable(Exception):
    """The storage refused a file; the message says which, and what the storage said."""


class FileMissing(Exception):
    """The file is no longer where the export put it."""


def of(export: Export) -> tuple[str, str]:
    """The folder, or the address, of a new export's files, and what their names in a storage begin with."""
    name = f"{export.month:%Y-%m}/{export.pk}"
    storage = _storage()
    if storage is None:
        return str((Path(settings.EXPORTS_DIR) / name).resolve()), ""
    prefix = f"{settings.EXPORTS_PREFIX}{name}/"
    return f"s3://{settings.EXPORTS_BUCKET}/{prefix}", prefix


def store(*, folder: Path, prefix: str, manifest: dict[str, Any]) -> None:
    """Copies the files to the storage, the manifest last: where it stands, its files are complete.

    Raises StorageUnusable.
    """
    storage = _storage()
    if storage is None:
        raise StorageUnusable("the storage of this export is no longer configured")
    for path in (*sorted(folders.paths(manifest)), folders.MANIFEST):
        try:
            with (folder / path).open("rb") as file:
                storage.save(prefix + path, File(file))
        except (BotoCoreError, ClientError, OSError) as error:
            raise StorageUnusable(f"{prefix}{path} cannot be stored: {error}") from error


def opened(*, export: Export, path: str) -> BinaryIO:
    """A file of an export, open for reading. Raises FileMissing."""
    try:
        if not export.prefix:
            return (Path(export.folder) / path).open("rb")
        storage = _storage()
        if storage is None:
            raise FileMissing("The storage of this export is no longer configured.")
        return storage.open(export.prefix + path, "rb")
    except (BotoCoreError, ClientError, OSError) as error:
        raise FileMissing(f"{path} is no longer where the export put it. Make the export again.") from error


def _storage() -> Storage | None:
    try:
        return storages[NAME]
    except InvalidStorageError:
        return None
