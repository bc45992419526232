"""COUNT: how many events there were."""

from metering.measures.events import ONE, Contribution
from metering.measures.tally import Tally, merge, value
from metering.periods import Period

__all__ = ["merge", "partial", "value"]


def partial(contribution: Contribution, period: Period) -> Tally | None:
    """One, if the event falls into the period."""
    return Tally(ONE, 1) if period.contains(contribution.at) else None
