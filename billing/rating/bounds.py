"""From exact charges to the rounded lines of a component, and its bounds: printed amounts add up."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from billing.documents import prices
from billing.documents.nodes import FIXED, IN_ARREARS, Component, Group
from billing.rating import charges, statement, takes
from billing.rating.charges import Charge
from billing.rating.frame import Frame, Span, prorated
from billing.rating.inputs import MeterFacts, UsageRow
from billing.rating.statement import Line
from billing.rating.tracks import Track
from metering import numbers

ZERO = Decimal(0)


def lines_of(
    tracks: Sequence[Track],
    rows: Sequence[UsageRow],
    frame: Frame,
    meters: Mapping[str, MeterFacts],
    group: str | None,
) -> list[Line]:
    """The lines of a component's tracks: rounded, not below zero, at most the maximum, and a line up to
    the minimum.
    """
    last = tracks[-1].last
    lines = [
        _line(track, charge, frame, meters, group)
        for same in _by_meter(tracks)
        for track, charge in _same_line(same, rows, frame, meters)
    ]
    members = [member for track in tracks for member in track.members]
    if not last.allow_negative:
        lines = not_below_zero(lines)
    lines = _at_most(maximum_of(members, frame, prorate=last.prorate), lines)
    least = minimum_of([(span, node.minimum) for span, node in members], frame, prorate=last.prorate)
    missing = missing_to(least, total(lines), frame)
    if missing:
        name = f"Minimum of {last.name}"
        lines.append(
            kind_line(
                statement.MINIMUM,
                missing,
                name,
                component=last.code,
                group=group,
                mode=_mode(last, tracks[-1].meter, meters),
            )
        )
    return lines


def _by_meter(tracks: Sequence[Track]) -> list[list[Track]]:
    """The tracks by meter: quantities of one meter stand on one line, whatever the price model was."""
    found: dict[str | None, list[Track]] = {}
    for track in tracks:
        found.setdefault(track.meter, []).append(track)
    return list(found.values())


def _same_line(
    tracks: Sequence[Track], rows: Sequence[UsageRow], frame: Frame, meters: Mapping[str, MeterFacts]
) -> list[tuple[Track, Charge]]:
    """The charges of the tracks, those of one combination put together."""
    merged: dict[takes.Combination, tuple[Track, Charge]] = {}
    for track in tracks:
        for charge in charges.of_track(track, rows, frame, meters):
            known = merged.get(charge.combination)
            if known is not None:
                charge = _together(known[1], charge, is_fixed=track.meter is None)
            merged[charge.combination] = (track, charge)
    return [merged[combination] for combination in sorted(merged)]


def _together(left: Charge, right: Charge, *, is_fixed: bool) -> Charge:
    quantity = right.quantity if is_fixed else left.quantity + right.quantity
    return Charge(right.combination, quantity, (*left.steps, *right.steps))


def _line(
    track: Track, charge: Charge, frame: Frame, meters: Mapping[str, MeterFacts], group: str | None
) -> Line:
    component = track.last
    unrounded = sum((step.amount for step in charge.steps), Fraction(0))
    amount = numbers.round_half_up(unrounded, frame.digits)
    compute, storage = _parts(component, charge, amount)
    return Line(
        component=component.code,
        group=group,
        kind=statement.FIXED if track.meter is None else statement.USAGE,
        name=component.name,
        mode=_mode(component, track.meter, meters),
        timing=component.timing,
        dimensions=dict(charge.combination),
        quantity=charge.quantity,
        unit="" if track.meter is None else takes.facts_of(meters, track.meter).unit,
        amount=amount,
        unrounded=unrounded,
        compute=compute,
        storage=storage,
        steps=charge.steps,
    )


def _parts(component: Component, charge: Charge, amount: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Compute and storage, where every price of the line is split."""
    computes = [step.compute for step in charge.steps if step.compute is not None]
    is_split = len(computes) == len(charge.steps)
    if not charge.steps:
        is_split = all(price.is_split for price in prices.amounts(component.price))
    return statement.parts(sum(computes, Fraction(0)), amount) if is_split else (None, None)


def _mode(component: Component, meter: str | None, meters: Mapping[str, MeterFacts]) -> str:
    if component.mode is not None:
        return component.mode
    return FIXED if meter is None else takes.facts_of(meters, meter).mode


def total(lines: Sequence[Line]) -> Decimal:
    """The sum of the lines' rounded amounts."""
    return sum((line.amount for line in lines), ZERO)


def not_below_zero(lines: list[Line]) -> list[Line]:
    """The lines, all 0 if their sum is below zero."""
    if total(lines) >= 0:
        return lines
    return [line.cleared("not below zero") if line.amount else line for line in lines]


def _at_most(maximum: Decimal | None, lines: list[Line]) -> list[Line]:
    """The lines, lowered from the last back until their sum is the maximum; negative ones are left alone."""
    over = ZERO if maximum is None else max(ZERO, total(lines) - maximum)
    lowered = list(lines)
    for place in range(len(lines) - 1, -1, -1):
        line = lowered[place]
        cut = min(over, max(line.amount, ZERO))
        if cut:
            lowered[place] = line.changed_to(line.amount - cut, "maximum")
            over -= cut
    return lowered


def maximum_of(
    members: Sequence[tuple[Span, Component | Group]] | Sequence[tuple[Span, Component]],
    frame: Frame,
    *,
    prorate: bool = True,
) -> Decimal | None:
    """The maximum for the billed part of the period, rounded, or None where a version has none."""
    values = [(span, node.maximum) for span, node in members if node.maximum is not None]
    if len(values) < len(members):
        return None
    return numbers.round_half_up(prorated(values, prorate=prorate), frame.digits)


def minimum_of(
    values: Sequence[tuple[Span, Decimal | None]], frame: Frame, *, prorate: bool = True
) -> Decimal | None:
    """The minimum for the billed part of the period, rounded, or None where no version has one; one
    without adds nothing.
    """
    if all(value is None for _, value in values):
        return None
    given = [(span, value or ZERO) for span, value in values]
    return numbers.round_half_up(prorated(given, prorate=prorate), frame.digits)


def missing_to(minimum: Decimal | None, amount: Decimal, frame: Frame) -> Decimal:
    """What is missing to a minimum, 0 where none is due: a period that is still open, or a trial."""
    if minimum is None or not frame.has_minimums:
        return ZERO
    return max(ZERO, minimum - amount)


def kind_line(
    kind: str,
    amount: Decimal,
    name: str,
    *,
    component: str | None = None,
    group: str | None = None,
    mode: str = FIXED,
) -> Line:
    """A line that is an amount and nothing else."""
    exact = Fraction(amount)
    return Line(
        component=component,
        group=group,
        kind=kind,
        name=name,
        mode=mode,
        timing=IN_ARREARS,
        dimensions={},
        quantity=Fraction(1),
        unit="",
        amount=amount,
        unrounded=exact,
        steps=(statement.Step(f"{name}: {numbers.shown(exact)[0]}", None, None, exact),),
    )
