"""An event's contribution cut at the quarter hours, as the roll-up keeps it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from metering import periods
from metering.documents.meter import COUNT, DURATION, SUM, MeterDefinition
from metering.measures import count, duration, events, sum
from metering.periods import QUARTER_HOUR, Period

_MEASURES = {COUNT: count, SUM: sum, DURATION: duration}


@dataclass(frozen=True, slots=True)
class Part:
    """What falls into the quarter hour from `start`; `quantity` in the unit that is kept."""

    start: datetime
    quantity: Decimal
    count: int


def parts(definition: MeterDefinition, contribution: events.Contribution) -> Iterator[Part]:
    """The contribution's parts by quarter hour, ascending, for a meter of COUNT, SUM or DURATION.

    The parts add up to the contribution, and exactly one of them counts the event.
    """
    measure = _MEASURES[definition.aggregation]
    start = periods.quarter(contribution.start)
    while start <= contribution.at:
        tally = measure.partial(contribution, Period(start, start + QUARTER_HOUR))
        if tally is not None:
            yield Part(start, tally.quantity, tally.count)
        start += QUARTER_HOUR
