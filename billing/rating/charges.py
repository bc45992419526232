"""What a component costs, unrounded: free units, price and discount of each version, combination by
combination.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from billing.documents.nodes import IN_ADVANCE, Component
from billing.documents.prices import Flat
from billing.rating import allowances, prices, takes
from billing.rating.frame import Frame, Span
from billing.rating.inputs import MeterFacts, UsageRow
from billing.rating.statement import Step
from billing.rating.takes import Combination, Take
from billing.rating.tracks import Track
from billing.rating.use import Use, alone
from metering import numbers

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Charge:
    """The steps of one combination of a track, whose amounts add up to what it costs; `quantity` is what
    was metered.
    """

    combination: Combination
    quantity: Fraction
    steps: tuple[Step, ...]


def of_track(
    track: Track, rows: Sequence[UsageRow], frame: Frame, meters: Mapping[str, MeterFacts]
) -> list[Charge]:
    """The track's charges, sorted by combination. In a trial fixed fees are not due, nor, in a period that is
    still open, those in arrears.
    """
    is_in_advance = track.last.timing == IN_ADVANCE
    is_fee = track.meter is None or isinstance(track.last.price, Flat)
    if is_fee and (frame.is_trial or not (frame.is_final or is_in_advance)):
        return []
    if frame.is_ahead and not is_in_advance:
        return []
    if track.meter is None:
        return [_fixed(track, frame)]
    if takes.needs_events(track.last):
        return _by_event(track, rows, frame)
    facts = takes.facts_of(meters, track.meter)
    taken = takes.of_track(track, rows, frame, facts)
    if any(not component.per for _, component in track.members):
        taken.setdefault((), [])
    return [
        _of_combination(track, combination, taken[combination], frame, additive=facts.additive, is_fee=is_fee)
        for combination in sorted(taken)
    ]


def _of_combination(
    track: Track,
    combination: Combination,
    taken: Sequence[Take],
    frame: Frame,
    *,
    additive: bool,
    is_fee: bool,
) -> Charge:
    if is_fee:
        quantity = (
            sum((take.quantity for take in taken), ZERO) if additive else _sum(taken, track.members[-1][0])
        )
        return Charge(combination, quantity, tuple(_shares(track, frame)))
    return (_added if additive else _whole)(track, combination, taken, frame)


def _fixed(track: Track, frame: Frame) -> Charge:
    """A component without meter: each version's amount for its own quantity, by its share of the period."""
    length = sum((span.share for span, _ in track.members), ZERO)
    quantity = (
        sum((span.share * Fraction(component.quantity) for span, component in track.members), ZERO) / length
    )
    return Charge((), quantity, tuple(_shares(track, frame)))


def _shares(track: Track, frame: Frame) -> Iterator[Step]:
    members = track.members if track.last.prorate else track.members[:1]
    for span, component in members:
        steps = prices.steps(component.price, alone(Fraction(component.quantity)))
        share = span.share if track.last.prorate else Fraction(1)
        yield from _discounted([step.scaled(share) for step in steps], span, component, frame)


def _whole(track: Track, combination: Combination, taken: Sequence[Take], frame: Frame) -> Charge:
    """A quantity that does not add up: each version prices all of it, for its share of the billed period."""
    paid = allowances.billable(track, taken, frame, additive=False)
    steps: list[Step] = []
    quantity = ZERO
    for span, component in track.members:
        quantity = _sum(taken, span)
        own = tuple(take for take in paid if take.span == span.place)
        use = Use(_sum(paid, span), whole=_sum(paid, span), takes=own, timezone=frame.timezone)
        priced = [step.scaled(span.share_of_billed) for step in prices.steps(component.price, use)]
        steps += _discounted([*_free(quantity - use.quantity), *priced], span, component, frame)
    return Charge(combination, quantity, tuple(steps))


def _added(track: Track, combination: Combination, taken: Sequence[Take], frame: Frame) -> Charge:
    """A quantity that adds up: versions follow each other, and tiers go on counting."""
    paid = allowances.billable(track, taken, frame, additive=True)
    whole = sum((take.quantity for take in paid), ZERO)
    before, steps = ZERO, list[Step]()
    for span, component in track.members:
        own = tuple(take for take in paid if take.span == span.place)
        use = Use(
            _sum(paid, span),
            before=before,
            whole=whole,
            is_first=span is track.members[0][0],
            is_last=span is track.members[-1][0],
            takes=own,
            timezone=frame.timezone,
        )
        priced = [*_free(_sum(taken, span) - use.quantity), *prices.steps(component.price, use)]
        steps += _discounted(priced, span, component, frame)
        before = use.after
    return Charge(combination, sum((take.quantity for take in taken), ZERO), tuple(steps))


def _by_event(track: Track, rows: Sequence[UsageRow], frame: Frame) -> list[Charge]:
    taken = takes.events_of(track, rows, frame)
    if any(not component.per for _, component in track.members):
        taken.setdefault((), [])
    return [_events(track, combination, taken[combination], frame) for combination in sorted(taken)]


def _events(
    track: Track, combination: Combination, taken: Sequence[tuple[Span, UsageRow]], frame: Frame
) -> Charge:
    """Single events, each under the version of its time; free ones go on counting."""
    steps: list[Step] = []
    earlier: tuple[UsageRow, ...] = ()
    for span, component in track.members:
        events = tuple(row for place, row in taken if place is span)
        quantity = sum((row.quantity for row in events), ZERO)
        use = Use(quantity, events=events, earlier=earlier, currency=span.plan.currency)
        steps += _discounted(prices.steps(component.price, use), span, component, frame)
        earlier += events
    return Charge(combination, sum((row.quantity for _, row in taken), ZERO), tuple(steps))


def _sum(taken: Sequence[Take], span: Span) -> Fraction:
    return sum((take.quantity for take in taken if take.span == span.place), ZERO)


def _free(quantity: Fraction) -> list[Step]:
    if not quantity:
        return []
    return [Step(f"included: {numbers.shown(quantity)[0]}", quantity, None, ZERO, ZERO)]


def _discounted(steps: Sequence[Step], span: Span, component: Component, frame: Frame) -> list[Step]:
    """The steps of a version and its discount on them, named after it where there are several."""
    found = list(steps)
    if component.discount_percent:
        found.append(_discount(found, component))
    if len(frame.spans) == 1:
        return found
    return [step.named(span.version) for step in found]


def _discount(steps: Sequence[Step], component: Component) -> Step:
    rate = Fraction(component.discount_percent) / 100
    amount = -rate * sum((step.amount for step in steps), ZERO)
    parts = [step.compute for step in steps if step.compute is not None]
    compute = -rate * sum(parts, ZERO) if len(parts) == len(steps) else None
    label = f"{numbers.text(component.discount_percent)}% discount: {numbers.shown(amount)[0]}"
    return Step(label, None, None, amount, compute)
