"""What a meter takes from the latest events, event by event: for whoever checks its definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import msgspec

from metering import measures, numbers
from metering.documents.meter import DURATION, UNIQUE, MeterDefinition
from metering.measures import Contribution
from metering.models import Event, MeterVersion
from metering.models.patience import TooSlow
from metering.periods import MICROSECOND
from metering.usage import events, meters

SHOWN_MAX = 100
SEARCHED_MAX = 500

_decoder = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Taken:
    """A matching event and what the meter takes from it.

    ``quantity``: as text in the meter's unit (of UNIQUE the text that is counted), None where nothing is
    taken; then ``reason`` says why.
    """

    event: Event
    quantity: str | None
    dimensions: Mapping[str, str]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The latest matching events, newest first.

    ``searched``: how many events of the meter's type were looked at. ``is_too_slow``: the database did not
    find them in time, and nothing is known.
    """

    rows: tuple[Taken, ...]
    searched: int
    is_too_slow: bool = False


def latest(version: MeterVersion) -> Preview:
    """At most `SHOWN_MAX` of those that match among the last `SEARCHED_MAX` events of the meter's type."""
    definition = meters.definition(version)
    try:
        stored = events.page(
            filters=events.Filters(type=definition.event_type), after=None, limit=SEARCHED_MAX
        ).events
    except TooSlow:
        return Preview((), 0, is_too_slow=True)
    rows: list[Taken] = []
    for each in stored:
        facts = _facts(each)
        if measures.matching(definition, facts):
            rows.append(_taken(definition, each, facts))
        if len(rows) == SHOWN_MAX:
            break
    return Preview(tuple(rows), len(stored))


def _facts(event: Event) -> measures.Event:
    return measures.Event(
        id=event.event_id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=event.time,
        data=_decoder.decode(event.data_text),  # type: ignore[attr-defined]  # annotated by `events.page`
    )


def _taken(definition: MeterDefinition, event: Event, facts: measures.Event) -> Taken:
    answer = measures.usable(definition, facts)
    if isinstance(answer, Contribution):
        return Taken(event, _quantity(definition, answer), dict(answer.dimensions))
    return Taken(event, None, {}, answer.reason if answer else "the value is absent, and the meter allows it")


def _quantity(definition: MeterDefinition, taken: Contribution) -> str:
    if definition.aggregation == UNIQUE:
        return taken.text
    quantity = Fraction(taken.value)
    if definition.aggregation == DURATION:
        quantity *= (taken.end - taken.start) // MICROSECOND
        quantity = (quantity + Fraction(taken.excess)) / definition.per_microseconds
    return numbers.shown(quantity)[0]
