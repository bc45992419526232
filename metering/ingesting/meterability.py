"""Which events no meter can use, so that they are turned away instead of stored and never billed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from metering import measures, periods
from metering.documents import DocumentError
from metering.documents import meter as meter_document
from metering.documents.meter import MeterDefinition
from metering.ingesting import plainness
from metering.ingesting.screening import Draft
from metering.models import MeterVersion

_BEGINNING = -(2**63)


class _Version(NamedTuple):
    """A meter's version. ``start``: from when it counts, in microseconds since 1970."""

    start: int
    definition: MeterDefinition
    is_plainly_usable: plainness.Test | None


# Of one meter, the latest first.
_Versions = tuple[_Version, ...]


class _OfType(NamedTuple):
    """The meters that ever counted events of a type. ``always``: their versions, if the same at any time."""

    meters: tuple[_Versions, ...]
    always: tuple[_Version, ...] | None


@dataclass(frozen=True, slots=True)
class Meters:
    """The meters of one moment, for each event type that a strict meter counts."""

    by_type: Mapping[str, _OfType]

    def judge(self, draft: Draft, time: int, data: Mapping[str, Any]) -> str | None:
        """Why no meter can use an event, or None.

        An event is turned away only if it matches at least one strict meter and no matching meter can use
        it: a typo in one meter must not lose what the others can count. Absent optional values are nothing to
        count, which is no fault.
        """
        of_type = self.by_type.get(draft.type)
        if of_type is None:
            return None
        in_force = of_type.always
        if in_force is None:
            in_force = _in_force(of_type.meters, time, draft.type)
        for version in in_force:
            if version.is_plainly_usable is not None and version.is_plainly_usable(data):
                return None
        event = measures.Event(
            id=draft.id,
            source=draft.source,
            type=draft.type,
            subject=draft.subject,
            time=periods.EPOCH + time * periods.MICROSECOND,
            data=data,
        )
        return _reason([version.definition for version in in_force], event)


def load() -> Meters:
    """The meters as the database has them now, in one query.

    An archived meter goes on counting what is still billed by it, so an event that it can use is taken; but
    it is no reason any more to turn one away.
    """
    by_meter: dict[int, list[_Version]] = {}
    rows = MeterVersion.objects.values_list("meter_id", "effective_at", "document", "meter__archived_at")
    for meter_id, effective_at, document, archived_at in rows.order_by("meter_id", "-number"):
        try:
            definition = meter_document.parse(document)
        except DocumentError:  # written by a newer release: it is for that release to count
            continue
        if archived_at is not None:
            definition = replace(definition, strict=False)
        start = _BEGINNING if effective_at is None else (effective_at - periods.EPOCH) // periods.MICROSECOND
        version = _Version(start, definition, plainness.test_of(definition))
        by_meter.setdefault(meter_id, []).append(version)
    return Meters(_by_type(by_meter.values()))


def _by_type(meters: Iterable[list[_Version]]) -> dict[str, _OfType]:
    by_type: dict[str, list[_Versions]] = {}
    strict_types = set()
    for versions in meters:
        latest_first = tuple(sorted(versions, key=lambda version: version.start, reverse=True))
        for event_type in {version.definition.event_type for version in versions}:
            by_type.setdefault(event_type, []).append(latest_first)
        strict_types |= {each.definition.event_type for each in versions if each.definition.strict}
    return {event_type: _of_type(tuple(by_type[event_type]), event_type) for event_type in strict_types}


def _of_type(meters: tuple[_Versions, ...], event_type: str) -> _OfType:
    is_constant = all(len(versions) == 1 and versions[0].start == _BEGINNING for versions in meters)
    return _OfType(meters, _in_force(meters, _BEGINNING, event_type) if is_constant else None)


def _in_force(meters: tuple[_Versions, ...], time: int, event_type: str) -> tuple[_Version, ...]:
    """The version of each meter that counts events of a time, as far as it counts events of this type."""
    found = []
    for versions in meters:
        version = next((version for version in versions if version.start <= time), None)
        if version is not None and version.definition.event_type == event_type:
            found.append(version)
    return tuple(found)


def _reason(definitions: Iterable[MeterDefinition], event: measures.Event) -> str | None:
    reasons = []
    is_strict = False
    for definition in definitions:
        if not measures.matching(definition, event):
            continue
        outcome = measures.usable(definition, event)
        if not isinstance(outcome, measures.Unusable):
            return None
        reasons.append(f"{definition.slug}: {outcome.reason}")
        is_strict = is_strict or definition.strict
    return f"no meter can use this event ({'; '.join(reasons)})" if is_strict else None
