"""What one version of a price is applied to."""

from dataclasses import dataclass
from fractions import Fraction

from billing.rating.inputs import UsageRow
from billing.rating.takes import Take

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Use:
    """The usage of one combination under one version of a price.

    `quantity`: units to be paid. `before`: those of earlier versions, from which tiers go on counting.
    `whole`: those of the period. `takes`: the pieces that make up `quantity`. `events`: the single events,
    and `earlier` those of earlier versions. `is_first`, `is_last`: whether it is the first or last version in
    the period.
    """

    quantity: Fraction
    before: Fraction = ZERO
    whole: Fraction = ZERO
    is_first: bool = True
    is_last: bool = True
    takes: tuple[Take, ...] = ()
    events: tuple[UsageRow, ...] = ()
    earlier: tuple[UsageRow, ...] = ()
    currency: str = "USD"
    timezone: str = "UTC"

    @property
    def after(self) -> Fraction:
        """The units paid by the end of this version."""
        return self.before + self.quantity


def alone(quantity: Fraction) -> Use:
    """A quantity that has no time: that of a fixed component."""
    return Use(quantity, whole=quantity)
