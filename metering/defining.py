"""Creates meters from documents. A definition is never changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from metering.documents import DocumentError, meter
from metering.models import Meter, MeterVersion, epoch
from metering.usage import contributions

CREATED, UNCHANGED = "created", "unchanged"


class MeterChanged(Exception):
    """A document that differs from the meter of its slug: a second version of a meter is not built yet."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a document: `outcome` is created or unchanged."""

    slug: str
    outcome: str
    version: MeterVersion


def apply(*, document: Any, at: datetime) -> tuple[Applied, ...]:
    """Creates the meters of a document, or of a list of them; those that exist as written stay unchanged.

    All or nothing. Usage at any time is counted by a meter from its creation on; the events stored before
    that are counted by `rolling.build`, and read raw until then.

    Raises DocumentError with the place of what is wrong in the document, also for an aggregation that is not
    built yet, MeterChanged for a meter that is defined otherwise already, and epoch.RollUpsBusy.
    """
    documents: Sequence[Any] = document if isinstance(document, list) else [document]
    places = [f"meters[{n}]" for n in range(len(documents))] if isinstance(document, list) else ["meter"]
    with transaction.atomic():
        # Two runs at once: the second finds what the first has made.
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtext('metering meters'))")
        return tuple(_applied(each, place, at=at) for each, place in zip(documents, places, strict=True))


def archive(*, slug: str, at: datetime) -> Meter:
    """The meter, archived from ``at`` on, or since when it was before.

    It goes on counting, so that what is sold by it stays billed; nothing new may use it. Raises
    Meter.DoesNotExist.
    """
    Meter.objects.filter(slug=slug, archived_at=None).update(archived_at=at)
    return Meter.objects.get(slug=slug)


def _applied(document: Any, path: str, *, at: datetime) -> Applied:
    definition = meter.parse(document, path)
    try:
        contributions.kind(definition.aggregation)
    except contributions.AggregationNotBuilt as error:
        raise DocumentError("invalid", str(error), f"{path}.aggregation") from None
    known = MeterVersion.objects.filter(meter__slug=definition.slug).order_by("number").last()
    if known is None:
        return Applied(definition.slug, CREATED, _created(document, definition, at=at))
    changed = _changed_keys(known.document, document, path)
    if changed:
        raise MeterChanged(
            f"{path}: the meter {definition.slug} exists and is defined otherwise ({', '.join(changed)}); "
            "a second version of a meter is not built yet, so give the new definition a slug of its own"
        )
    return Applied(definition.slug, UNCHANGED, known)


def _created(document: Any, definition: meter.MeterDefinition, *, at: datetime) -> MeterVersion:
    return MeterVersion.objects.create(
        meter=Meter.objects.create(slug=definition.slug, created_at=at),
        number=1,
        document=document,
        effective_at=definition.effective_at,
        epoch=epoch.begin(),
        created_at=at,
    )


def _changed_keys(known: Any, document: Any, path: str) -> list[str]:
    """The keys in which two documents differ as written, numbers compared by value."""
    before, after = meter.canonical(known, path), meter.canonical(document, path)
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
