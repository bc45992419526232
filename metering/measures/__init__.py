"""How events become quantities, one file an aggregation, all of one shape.

`partial(contribution, period)` is what one event gives to a stretch of time (None: nothing), `merge(left,
right)` puts two partials together, `value(partial)` is the quantity as a Fraction in the unit that is kept:
for DURATION and TIME_WEIGHTED value x microseconds, which a meter's `per` divides once, when rating.
"""

from metering.measures.buckets import Part, parts
from metering.measures.events import Contribution, Event, Unusable, matching, usable
from metering.measures.quantities import Row, rows

__all__ = ["Contribution", "Event", "Part", "Row", "Unusable", "matching", "parts", "rows", "usable"]
