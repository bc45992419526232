"""From lines to what is due: plan discounts, the plan's minimum, and what was billed before."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from billing.documents.nodes import FIXED, IN_ADVANCE, IN_ARREARS
from billing.rating import bounds, statement
from billing.rating.frame import ARREARS, Frame
from billing.rating.inputs import Billed
from billing.rating.statement import Line, Statement, TakenDiscount, Unbilled
from metering import numbers

Key = tuple[str | None, str | None, tuple[tuple[str, str], ...], str]
ZERO = Decimal(0)


def statement_of(
    lines: list[Line], frame: Frame, billed: Sequence[Billed], unbilled: tuple[Unbilled, ...]
) -> Statement:
    """What is due for the period: everything so far, less what was billed of the same lines and discounts
    before.
    """
    amount = bounds.total(lines)
    if frame.is_trial and amount:
        lines = [*lines, bounds.kind_line(statement.TRIAL, -amount, "Trial")]
        amount = ZERO
    discounts = _discounts(amount, frame)
    after = amount - sum((each.amount for each in discounts), ZERO)
    minimum = bounds.minimum_of([(span, span.plan.minimum) for span in frame.spans], frame)
    missing = bounds.missing_to(minimum, after, frame)
    if missing:
        name = f"Minimum of {frame.last.name}"
        lines = [*lines, bounds.kind_line(statement.PLAN_MINIMUM, missing, name)]
    before = _sums(billed)
    due = _due_discounts(discounts, before, frame)
    lines = _due_lines(lines, before, frame)
    zero = numbers.round_half_up(Fraction(0), frame.digits)
    subtotal = bounds.total(lines) + zero
    total = subtotal - sum((each.amount for each in due), ZERO)
    return Statement(frame.last.currency, tuple(lines), subtotal, tuple(due), total, unbilled)


def _discounts(amount: Decimal, frame: Frame) -> list[TakenDiscount]:
    """The discounts in order, each on what the earlier ones left, each rounded once."""
    taken = []
    rest = amount
    for discount in frame.last.discounts:
        off = numbers.round_half_up(Fraction(rest) * Fraction(discount.percent) / 100, frame.digits)
        rest -= off
        taken.append(TakenDiscount(discount.name, discount.percent, off))
    return taken


def _sums(billed: Sequence[Billed]) -> dict[Key, Decimal]:
    sums: dict[Key, Decimal] = {}
    for each in billed:
        key = (each.component, each.group, tuple(sorted(each.dimensions.items())), each.kind)
        sums[key] = sums.get(key, ZERO) + each.amount
    return sums


def _due_lines(lines: Sequence[Line], before: Mapping[Key, Decimal], frame: Frame) -> list[Line]:
    """Each line less what was billed of it; a line that is due no more comes back with what is to be
    returned.
    """
    left = {key: amount for key, amount in before.items() if key[3] != statement.PLAN_DISCOUNT and amount}
    due = []
    for line in lines:
        rest = line.less(left.pop(line.key)) if line.key in left else line
        if rest is line or rest.amount or not (frame.part == ARREARS and _is_ahead(line)):
            due.append(rest)
    return due + [_returned(key, amount, frame) for key, amount in left.items()]


def _is_ahead(line: Line) -> bool:
    """Whether the line may have been billed as a whole before the period began."""
    return line.timing == IN_ADVANCE or line.kind == statement.GROUP_DISCOUNT


def _returned(key: Key, amount: Decimal, frame: Frame) -> Line:
    component, group, dimensions, kind = key
    known = next(
        (node for span in frame.spans for node in span.plan.nodes() if node.code == (component or group)),
        None,
    )
    nothing = numbers.round_half_up(Fraction(0), frame.digits)
    line = Line(
        component=component,
        group=group,
        kind=kind,
        name=known.name if known is not None else component or group or kind,
        mode=getattr(known, "mode", None) or FIXED,
        timing=getattr(known, "timing", IN_ARREARS),
        dimensions=dict(dimensions),
        quantity=Fraction(0),
        unit="",
        amount=nothing,
        unrounded=Fraction(0),
    )
    return line.less(amount)


def _due_discounts(
    discounts: Sequence[TakenDiscount], before: Mapping[Key, Decimal], frame: Frame
) -> list[TakenDiscount]:
    """Each discount less what was taken before, whose billed amounts are negative, by its place in the
    plan.
    """
    billed = {
        key[0]: amount for key, amount in before.items() if key[3] == statement.PLAN_DISCOUNT and amount
    }
    nothing = numbers.round_half_up(Fraction(0), frame.digits)
    due = [
        TakenDiscount(each.name, each.percent, each.amount + billed.pop(str(place), ZERO))
        for place, each in enumerate(discounts)
    ]
    gone = [TakenDiscount("Discount billed before", ZERO, nothing + amount) for amount in billed.values()]
    return due + gone
