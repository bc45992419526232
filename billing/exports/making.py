"""Exports as jobs: asked for in one process, made in another, taken up again when that one was killed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from django.db import connection

from billing import evidence
from billing.exports import folder as folders
from billing.exports import formats as known_formats
from billing.exports import month as months
from billing.exports import places
from billing.exports.journal import TransactionUnbalanced
from billing.models import Export

# A job says how far it is this many times.
STEPS_TOLD = 100
# The first half of the advisory lock's key; the second is the export's id.
_LOCK = 0x45585054
# What keeps an export from being made until a person does something about it.
REASONS = (folders.FolderUnusable, places.StorageUnusable, TransactionUnbalanced, evidence.EvidenceTampered)


def request(*, month: date, formats: Sequence[str], by: str, at: datetime) -> Export:
    """The record of an export of the month that is still to be made, by `make`.

    ``month``: any day of it. ``formats``: names of `formats.ALL`, none for all. Raises formats.FormatUnknown.
    """
    known_formats.check(formats)
    export = Export.objects.create(
        month=month.replace(day=1), made_at=at, made_by=by, formats=list(formats), folder=""
    )
    export.folder, export.prefix = places.of(export)
    export.save(update_fields=["folder", "prefix"])
    return export


def unfinished() -> list[int]:
    """The ids of exports that wait for a worker, or whose worker may have been killed, the oldest first."""
    states = (Export.State.PENDING, Export.State.RUNNING)
    return list(Export.objects.filter(state__in=states).order_by("pk").values_list("pk", flat=True))


def make(*, export_id: int, at: Callable[[], datetime]) -> Export | None:
    """The export, made, or FAILED with the reason; None where another process is making it right now.

    ``at`` tells when it ended. Safe to repeat: what is done stays as it is, and what was killed half way
    begins anew; its files stand nowhere before all are complete.
    """
    with _alone(export_id) as is_alone:
        if not is_alone:
            return None
        export = Export.objects.get(pk=export_id)
        if export.state != Export.State.DONE:
            _make(export, at)
        return export


def _make(export: Export, at: Callable[[], datetime]) -> None:
    export.state, export.failed_reason = Export.State.RUNNING, ""
    export.save(update_fields=["state", "failed_reason"])
    try:
        _write(export)
        export.state = Export.State.DONE
    except Exception as error:
        export.state = Export.State.FAILED
        export.failed_reason = (
            str(error) if isinstance(error, REASONS) else f"{type(error).__name__}: {error}"
        )
        if not isinstance(error, REASONS):
            raise
    finally:
        if export.state != Export.State.RUNNING:  # killed from outside: the next worker takes it up
            export.ended_at = at()
            export.save()


def _write(export: Export) -> None:
    def tell(done: int, expected: int) -> None:
        if done == expected or done % max(1, expected // STEPS_TOLD) == 0:
            export.done, export.expected = done, expected
            export.save(update_fields=["done", "expected"])

    def files(folder: Path) -> None:
        export.manifest = months.files(
            month=export.month,
            formats=export.formats,
            folder=folder,
            asked_at=export.made_at,
            progress=tell,
        )

    if not export.prefix:
        files(Path(export.folder))
        return
    with tempfile.TemporaryDirectory(prefix="export-") as local:
        files(Path(local))
        places.store(folder=Path(local), prefix=export.prefix, manifest=export.manifest)


@contextmanager
def _alone(export_id: int) -> Iterator[bool]:
    """Whether nobody else makes the export. The lock goes with the connection, however the process ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, %s)", [_LOCK, export_id])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s, %s)", [_LOCK, export_id])
