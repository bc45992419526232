"""Free units: which pieces of usage they cover."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

from billing.documents.nodes import HOUR, PERIOD, Component
from billing.rating.frame import Frame, prorated
from billing.rating.takes import Take
from billing.rating.tracks import Track
from metering import periods

Window = tuple[Hashable, Fraction]
ZERO = Fraction(0)


def billable(track: Track, takes: Sequence[Take], frame: Frame, *, additive: bool) -> list[Take]:
    """The pieces with the quantity that is still to be paid, in the order given, which is that of free
    units.
    """
    if not any(component.included for _, component in track.members):
        return list(takes)
    window_of = _window_of(track, frame) if additive else partial(_version_pool, track, frame)
    used: dict[Hashable, tuple[Fraction, Fraction]] = {}
    left = []
    for take in takes:
        window, allowance = window_of(take)
        quantity, paid = used.get(window, (ZERO, ZERO))
        quantity += take.quantity
        due = _paid(quantity, allowance)
        used[window] = (quantity, due)
        left.append(replace(take, quantity=due - paid))
    return left


def _paid(quantity: Fraction, allowance: Fraction) -> Fraction:
    """What is to be paid of a window's usage so far. A negative sum stays: nothing of it was free."""
    return quantity if quantity < 0 else max(ZERO, quantity - allowance)


def _window_of(track: Track, frame: Frame) -> Callable[[Take], Window]:
    """What tells each piece its window, and the window's free units.

    The units of the period are one pool: the sum of each version's share. A day or an hour has those of the
    version in force where it begins inside the billed period, or where the component itself begins.
    """
    members = {span.place: component for span, component in track.members}
    pool = _pool(track)
    start = max(frame.billed.start, track.members[0][0].period.start)

    def window_of(take: Take) -> Window:
        included = members[take.span].included
        if included is None or included.every == PERIOD:
            return PERIOD, pool
        bounds = periods.hour_window if included.every == HOUR else periods.day_window
        begins = max(bounds(take.at, frame.timezone).start, start)
        return (included.every, begins), _of_version(members.get(frame.span_at(begins).place), included.every)

    return window_of


def _of_version(component: Component | None, every: str) -> Fraction:
    if component is None or component.included is None or component.included.every != every:
        return ZERO
    return Fraction(component.included.quantity)


def _pool(track: Track) -> Fraction:
    given = [
        (span, component.included.quantity)
        for span, component in track.members
        if component.included is not None and component.included.every == PERIOD
    ]
    return prorated(given, prorate=track.last.prorate) if given else ZERO


def _version_pool(track: Track, frame: Frame, take: Take) -> Window:
    """The free units of the version that prices a quantity which does not add up: its own, for the billed
    share.
    """
    span, component = next(member for member in track.members if member[0].place == take.span)
    share = frame.share if component.prorate else Fraction(1)
    return span.place, _of_version(component, PERIOD) * share
