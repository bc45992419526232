"""The amounts of a voucher by the day: what was charged for which usage on which day, to the cent.

A rounded amount is divided by the largest remainder over the usage of each day, ties in time order. A plan's
discounts are divided over the lines that they were taken of in the same way. So the charges of a line add up
to the line less its share of the discounts, and all charges of a voucher to its total.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from billing import allocating
from billing.documents import currencies
from billing.exports import inputs
from billing.exports.inputs import Input
from billing.exports.vouchers import PLAN_DISCOUNT, ZERO, Entry, Voucher
from billing.models import InvoiceLine, ServicePeriod
from metering import numbers
from metering.periods import Period

# Decimal places of a unit price that is an average, and of a quantity that no decimal equals.
PRICE_PLACES = 30
QUANTITY_PLACES = 18
_PLAN_MINIMUM = "plan_minimum"
_DISCOUNT_STEP = re.compile(r"(^|: )[0-9.]+% discount: ")


@dataclass(frozen=True)
class Charge:
    """One amount of one line in one stretch of time.

    ``listed``: before discounts; ``billed``: after the component's and the plan's discounts; ``discount``:
    what of it the plan's discounts took. ``unit_price`` times ``quantity`` is ``listed``, to 30 digits where
    ``is_blended``: then it is an average, of tiers for example. Both are None where no price times a quantity
    makes the amount.
    """

    entry: Entry
    start: datetime
    end: datetime
    quantity: Decimal | None
    unit_price: Decimal | None
    is_blended: bool
    listed: Decimal
    billed: Decimal
    discount: Decimal


def of(voucher: Voucher) -> Sequence[Charge]:
    """The charges of a voucher, in the order of its entries and of time. They add up to its total."""
    if __name__ not in voucher.kept:
        voucher.kept[__name__] = tuple(_of(voucher))
    found: tuple[Charge, ...] = voucher.kept[__name__]
    return found


def _of(voucher: Voucher) -> Iterator[Charge]:
    digits = currencies.digits(voucher.currency)
    for period, entries in _by_period(voucher.entries):
        discounts = _discounts(entries, digits)
        for entry, discount in zip(entries, discounts, strict=True):
            if discount is not None:
                yield from _of_entry(voucher, period, entry, discount, digits)


def _by_period(entries: Sequence[Entry]) -> Iterator[tuple[ServicePeriod | None, list[Entry]]]:
    together: dict[int | None, list[Entry]] = {}
    for entry in entries:
        together.setdefault(entry.period.pk if entry.period else None, []).append(entry)
    for found in together.values():
        yield found[0].period, found


def _discounts(entries: Sequence[Entry], digits: int) -> list[Decimal | None]:
    """What each entry bears of the period's discounts, positive; None for a discount that others bear."""
    taken = -sum((each.line.amount for each in entries if each.line.kind == PLAN_DISCOUNT), ZERO)
    # A discount is taken of what costs something, and never of the plan's minimum.
    bases = [
        each.line.amount
        if each.line.kind not in (PLAN_DISCOUNT, _PLAN_MINIMUM) and each.line.amount > 0
        else ZERO
        for each in entries
    ]
    if not any(bases):
        return [ZERO for _ in entries]
    parts = allocating.parts(amount=taken, shares=bases, digits=digits)
    return [
        None if each.line.kind == PLAN_DISCOUNT else part for each, part in zip(entries, parts, strict=True)
    ]


def _of_entry(
    voucher: Voucher, period: ServicePeriod | None, entry: Entry, discount: Decimal, digits: int
) -> Iterator[Charge]:
    line = entry.line
    if period is None or voucher.credit_note is not None or line.kind not in ("usage", "fixed"):
        start, end = _time(voucher, period)
        with numbers.exact():
            billed = line.amount - discount
        yield Charge(entry, start, end, None, None, False, line.amount, billed, discount)
        return
    yield from _priced(period, entry, discount, digits)


def _time(voucher: Voucher, period: ServicePeriod | None) -> tuple[datetime, datetime]:
    """When the charge was for; what is for no period is for all that the invoice is for."""
    served = [period] if period is not None else list(voucher.invoice.service_periods.all())
    if not served:
        assert voucher.issued_at is not None  # drafts are not exported
        return voucher.issued_at, voucher.issued_at
    return min(each.start_at for each in served), max(each.end_at for each in served)


def _priced(period: ServicePeriod, entry: Entry, discount: Decimal, digits: int) -> Iterator[Charge]:
    line = entry.line
    days = _days(period, line, inputs.of(period))
    shares = [max(quantity, Fraction(0)) for quantity in days.values()]
    with numbers.exact():
        nets = allocating.parts(amount=line.amount - discount, shares=shares, digits=digits)
    discounts = allocating.parts(amount=discount, shares=shares, digits=digits)
    price = _single_price(line)
    gross = numbers.round_half_up(_gross(line), digits)
    lists = allocating.parts(amount=gross, shares=shares, digits=digits)
    for (day, exact), net, off, listed in zip(days.items(), nets, discounts, lists, strict=True):
        quantity = _decimal(exact)
        if price is not None:
            with numbers.exact():
                listed = price * quantity
            yield Charge(entry, day.start, day.end, quantity, price, False, listed, net, off)
        elif quantity > 0 and listed >= 0:
            blended = numbers.round_half_up(Fraction(listed) / Fraction(quantity), PRICE_PLACES)
            yield Charge(entry, day.start, day.end, quantity, blended, True, listed, net, off)
        else:
            yield Charge(entry, day.start, day.end, None, None, False, listed, net, off)


def _days(period: ServicePeriod, line: InvoiceLine, known: Input) -> dict[Period, Fraction]:
    """The line's quantity by day; in one piece where only the whole is known.

    A line that takes back what was billed before counts other units than it charges: it stays whole, too.
    """
    whole = Fraction(line.quantity_exact or line.quantity or 0)
    days = dict(known.quantities(line))
    if len(days) > 1 and sum(days.values(), Fraction(0)) == whole:
        return days
    if len(days) == 1 and list(days.values()) == [whole]:
        return days
    return {Period(period.start_at, period.end_at): whole}


def _gross(line: InvoiceLine) -> Fraction:
    """The exact amount of a line before its component's discount."""
    off = (_exact(step, "amount") for step in line.steps if _DISCOUNT_STEP.search(step["label"]))
    return Fraction(line.unrounded_exact or line.unrounded) - sum(off, Fraction(0))


def _single_price(line: InvoiceLine) -> Decimal | None:
    """The price of a unit, where one price times the quantity is what the line costs before discounts."""
    prices = {step["unit_amount"] for step in line.steps if step.get("unit_amount") is not None}
    if len(prices) != 1 or line.quantity is None or line.would_be is not None:
        return None
    price: str = prices.pop()
    quantity = Fraction(line.quantity_exact or line.quantity)
    return Decimal(price) if quantity * Fraction(price) == _gross(line) else None


def _exact(step: dict[str, str], name: str) -> Fraction:
    return Fraction(step.get(f"{name}_exact") or step[name])


def _decimal(quantity: Fraction) -> Decimal:
    if numbers.ends(quantity):
        return numbers.trimmed(numbers.to_decimal(quantity))
    return numbers.round_half_up(quantity, QUANTITY_PLACES)
