"""SUM: the values added up."""

from metering.measures.events import Contribution
from metering.measures.tally import Tally, merge, value
from metering.periods import Period

__all__ = ["merge", "partial", "value"]


def partial(contribution: Contribution, period: Period) -> Tally | None:
    """The event's value, if it falls into the period."""
    return Tally(contribution.value, 1) if period.contains(contribution.at) else None
