"""percentage: a rate of each event's value, and a fixed amount an event."""

from dataclasses import dataclass
from fractions import Fraction

from billing.documents.prices import Percentage
from billing.rating import event_amounts
from billing.rating.inputs import UsageRow
from billing.rating.statement import Step
from billing.rating.use import Use
from metering import numbers

ZERO = Fraction(0)


@dataclass(slots=True)
class _Sums:
    """What the events add up to, part by part."""

    free: int = 0
    paid: int = 0
    value: Fraction = ZERO
    raised: Fraction = ZERO
    lowered: Fraction = ZERO


@dataclass(slots=True)
class _Used:
    """The events and the quantity so far, from the period's start; negative events use up nothing."""

    events: int = 0
    quantity: Fraction = ZERO

    def add(self, row: UsageRow) -> None:
        if row.quantity >= 0:
            self.events += 1
            self.quantity += row.quantity


def steps(price: Percentage, use: Use) -> list[Step]:
    """The rate of the values, the fixed amounts, and what the bounds of single events added or took off.

    Events are free while fewer than `free_events` and less than `free_quantity` were so far. The event that
    crosses `free_quantity` pays the rate on the excess. A negative event pays the rate alone.
    """
    used, sums = _Used(), _Sums()
    for row in use.earlier:
        used.add(row)
    for row in use.events:
        event_amounts.check_currency(price, row, use.currency)
        _add(price, use, row, used, sums)
        used.add(row)
    return _explained(price, sums)


def _add(price: Percentage, use: Use, row: UsageRow, used: _Used, sums: _Sums) -> None:
    excess = _excess(price, row.quantity, used)
    if excess is None:
        sums.free += 1
        return
    value = event_amounts.in_major_units(price, excess, use.currency)
    sums.value += value
    if row.quantity < 0:
        return
    sums.paid += 1
    amount = value * Fraction(price.rate) / 100 + Fraction(price.fixed_amount)
    if price.minimum_per_event is not None and amount < price.minimum_per_event:
        sums.raised += Fraction(price.minimum_per_event) - amount
        amount = Fraction(price.minimum_per_event)
    if price.maximum_per_event is not None and amount > price.maximum_per_event:
        sums.lowered += amount - Fraction(price.maximum_per_event)


def _excess(price: Percentage, value: Fraction, used: _Used) -> Fraction | None:
    """The part of the event's value that pays the rate, or None for a free event. A free amount of 0 does
    not bind.
    """
    if value < 0 or not (price.free_events or price.free_quantity):
        return value
    if price.free_events and used.events >= price.free_events:
        return value
    if price.free_quantity and used.quantity >= price.free_quantity:
        return value
    if price.free_quantity and used.quantity + value > price.free_quantity:
        return used.quantity + value - Fraction(price.free_quantity)
    return None


def _explained(price: Percentage, sums: _Sums) -> list[Step]:
    amount = sums.value * Fraction(price.rate) / 100
    label = f"{numbers.text(price.rate)}% of {numbers.shown(sums.value)[0]}"
    found = [Step(label, sums.value, None, amount, None if amount else ZERO)]
    if sums.free:
        found.insert(0, Step(f"{sums.free} events free", Fraction(sums.free), None, ZERO, ZERO))
    if price.fixed_amount:
        fixed = Fraction(price.fixed_amount)
        label = f"{sums.paid} events x {numbers.text(price.fixed_amount)}"
        found.append(Step(label, Fraction(sums.paid), price.fixed_amount, sums.paid * fixed))
    if sums.raised:
        found.append(Step.plain(f"minimum of an event: {numbers.shown(sums.raised)[0]}", sums.raised))
    if sums.lowered:
        found.append(Step.plain(f"maximum of an event: {numbers.shown(-sums.lowered)[0]}", -sums.lowered))
    return found
