"""The lines of a printed invoice: service periods, with groups of lines, and the way to each amount."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.exports import inputs, parties
from billing.exports.display import Display, breakable
from billing.exports.inputs import Input
from billing.exports.vouchers import TAX, Voucher
from billing.exports.words import translated
from billing.models import InvoiceLine, ServicePeriod

# Lines of other kinds are differences to a bound or a share: their names say all that there is to say.
_PRICED_KINDS = ("usage", "fixed")


@dataclass(frozen=True)
class Printing:
    """How lines are shown. ``sign``: -1 on a credit note, whose amounts are printed positive."""

    show: Display
    currency: str
    sign: int
    has_steps: bool

    def amount(self, amount: Decimal) -> str:
        return self.show.amount(amount * self.sign if amount else amount, self.currency)

    def words(self, text: str) -> str:
        """What rating wrote, in the customer's language."""
        return breakable(translated(text, self.show.language))


def of(voucher: Voucher, *, show: Display, has_steps: bool) -> list[dict[str, Any]]:
    """The service periods with ``groups`` of ``lines``; on a credit note one without title."""
    how = Printing(show, voucher.currency, -1 if voucher.credit_note else 1, has_steps)
    if voucher.credit_note:
        lines = [entry.line for entry in voucher.entries if entry.line.kind != TAX]
        return [{"title": "", "period": "", "groups": _groups(lines, inputs.NONE, how)}]
    return [_section(period, how) for period in voucher.periods]


def period_text(period: ServicePeriod, show: Display) -> str:
    """The period by the clock of its subscription: "May 1 – 31, 2020 (UTC)"."""
    zone = parties.zone(period)
    return f"{show.period(period.start_at, period.end_at, zone)} ({zone.key})"


def _section(period: ServicePeriod, how: Printing) -> dict[str, Any]:
    known = inputs.of(period)
    name = f" · {known.plan_name}" if known.plan_name else ""
    return {
        "title": f"{how.show.labels['subscription']} {breakable(period.subscription.key)}{breakable(name)}",
        "period": period_text(period, how.show),
        "groups": _groups(list(period.lines.all()), known, how),
    }


def _groups(lines: Sequence[InvoiceLine], known: Input, how: Printing) -> list[dict[str, Any]]:
    """The lines of a group of the plan together, and those of a component that has several."""
    counts: dict[tuple[str | None, str | None], int] = {}
    for line in lines:
        key = (line.group, line.component)
        counts[key] = counts.get(key, 0) + 1

    def place(line: InvoiceLine) -> tuple[str | None, str | None]:
        is_split = line.group is None and line.component is not None and bool(line.dimensions)
        return line.group, line.component if is_split and counts[line.group, line.component] > 1 else None

    found = []
    for (group, component), together in itertools.groupby(lines, key=place):
        members = list(together)
        name = _group_name(group, known) if group else members[0].name if component else ""
        found.append(
            {
                "name": breakable(name),
                "is_chosen": any(line.would_be is None for line in members),
                "lines": [_line(line, how, is_named=component is None) for line in members],
            }
        )
    return found


def _group_name(code: str, known: Input) -> str:
    group = known.group(code)
    return group.name if group else code


def _line(line: InvoiceLine, how: Printing, *, is_named: bool) -> dict[str, Any]:
    dimensions = " · ".join(f"{name}: {value}" for name, value in sorted(line.dimensions.items()))
    show = how.show
    return {
        # Below its component's name a line is known by its dimensions alone.
        "name": how.words(line.name) if is_named else breakable(dimensions),
        "dimensions": breakable(dimensions) if is_named else "",
        "note": how.words(line.note),
        "quantity": _quantity(line, show),
        "unit": breakable(line.unit),
        "unit_price": _unit_price(line, show),
        "amount": how.amount(line.amount),
        "parts": _parts(line, how),
        "would_be": f"{show.labels['would_be']} {how.amount(line.would_be)}"
        if line.would_be is not None
        else "",
        "steps": list(_steps(line, how)),
    }


def _quantity(line: InvoiceLine, show: Display) -> str:
    if line.kind not in _PRICED_KINDS or line.quantity is None:
        return ""
    return show.quantity(Decimal(line.quantity))


def _unit_price(line: InvoiceLine, show: Display) -> str:
    """The price of a unit where one price explains the whole line; the steps tell of tiers and allowances."""
    price = _single_price(line)
    return show.number(Decimal(price)) if price is not None else ""


def _single_price(line: InvoiceLine) -> str | None:
    if line.quantity is None or len(line.steps) != 1 or line.steps[0].get("unit_amount") is None:
        return None
    price: str = line.steps[0]["unit_amount"]
    quantity = Fraction(line.quantity_exact or line.quantity)
    unrounded = Fraction(line.unrounded_exact or line.unrounded)
    return price if quantity * Fraction(price) == unrounded else None


def _parts(line: InvoiceLine, how: Printing) -> str:
    if not line.amount:
        return ""
    parts = ((how.show.labels[name], getattr(line, name)) for name in ("compute", "storage"))
    return " · ".join(f"{label} {how.amount(amount)}" for label, amount in parts if amount is not None)


def _steps(line: InvoiceLine, how: Printing) -> Iterator[str]:
    """The way from the quantity to the amount, where it is more than one product, or asked for."""
    is_plain = line.kind not in _PRICED_KINDS or _single_price(line) is not None
    if is_plain and not how.has_steps:
        return
    for step in line.steps:
        if how.has_steps or _is_free(step) or Decimal(step["amount"]) != 0:
            # Words first: a phrase is known by the plain numbers in it.
            yield breakable(how.show.numbers_in(translated(_step(step), how.show.language)))


def _step(step: dict[str, Any]) -> str:
    """The label of a step and what it comes to, unless the label says that already: "12.5 × 2.5 = 31.25"."""
    label: str = step["label"].replace(" x ", " × ")
    if _is_free(step) or label.endswith(f": {step['amount']}"):
        return label
    return f"{label} = {step['amount']}"


def _is_free(step: dict[str, Any]) -> bool:
    """Whether it tells of units that cost nothing."""
    return step["quantity"] is not None and step["unit_amount"] is None and Decimal(step["amount"]) == 0
