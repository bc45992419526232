"""time_of_use: a price for each window of the local week."""

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from billing.documents.amounts import Amount
from billing.documents.prices import TimeOfUse
from billing.rating.statement import Step
from billing.rating.use import Use
from metering import periods
from metering.documents.errors import DocumentError

OTHERWISE = -1


def steps(price: TimeOfUse, use: Use) -> list[Step]:
    """A step for each window with usage, by the local wall time at which its quarter hour starts.

    Raises DocumentError `unpriced` for usage outside the windows where there is no `otherwise`.
    """
    zone = periods.named_zone(price.timezone or use.timezone)
    found: dict[datetime, int] = {}
    sums: dict[int, Fraction] = {}
    for take in use.takes:
        if take.at not in found:
            found[take.at] = _place(price, take.at, zone)
        place = found[take.at]
        if place == OTHERWISE and price.otherwise is None:
            wall = take.at.astimezone(zone)
            raise DocumentError(
                "unpriced", f"no window prices usage at {wall:%a %H:%M} {zone.key}", take.field
            )
        sums[place] = sums.get(place, Fraction(0)) + take.quantity
    order = sorted(sums, key=lambda place: (place == OTHERWISE, place))
    return [_step(price, place, sums[place]) for place in order]


def _place(price: TimeOfUse, at: datetime, zone: ZoneInfo) -> int:
    wall = at.astimezone(zone)
    return next((place for place, window in enumerate(price.windows) if window.holds(wall)), OTHERWISE)


def _step(price: TimeOfUse, place: int, quantity: Fraction) -> Step:
    if place == OTHERWISE:
        assert isinstance(price.otherwise, Amount)
        return Step.priced(quantity, price.otherwise, note="otherwise")
    window = price.windows[place]
    return Step.priced(quantity, window.unit_amount, note=window.label)
