"""What rating answers: explained lines and their totals."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.documents.amounts import Amount
from metering import numbers

USAGE, FIXED, MINIMUM, PLAN_MINIMUM = "usage", "fixed", "minimum", "plan_minimum"
GROUP_DISCOUNT, GROUP_MAXIMUM, GROUP_MINIMUM = "group_discount", "group_maximum", "group_minimum"
PLAN_DISCOUNT, TRIAL = "plan_discount", "trial"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a person can check. The amounts of a line's steps add up to it, exactly, before
    rounding.

    `compute` is the part of the amount for compute, or None where the price has no parts.
    """

    label: str
    quantity: Fraction | None
    unit_amount: Decimal | None
    amount: Fraction
    compute: Fraction | None = None

    @classmethod
    def priced(cls, quantity: Fraction, price: Amount, *, note: str = "", units: str = "") -> "Step":
        """The step of a quantity at a unit price: "12.5 x 2.5", after a note such as the tier's."""
        label = f"{numbers.shown(quantity)[0]}{units} x {numbers.text(price.total)}"
        compute = quantity * Fraction(price.compute_part) if price.is_split else None
        amount = quantity * Fraction(price.total)
        return cls(f"{note}: {label}" if note else label, quantity, price.total, amount, compute)

    @classmethod
    def plain(cls, label: str, amount: Fraction) -> "Step":
        """A step that is an amount of its own, without compute and storage parts (0 has them)."""
        return cls(label, None, None, amount, None if amount else Fraction(0))

    def scaled(self, share: Fraction) -> "Step":
        """The step for a share of the period."""
        if share == 1:
            return self
        compute = None if self.compute is None else self.compute * share
        return replace(self, label=f"{self.label} x {share}", amount=self.amount * share, compute=compute)

    def named(self, version: str) -> "Step":
        """The step with the version of the plan before its label."""
        return replace(self, label=f"{version}: {self.label}") if version else self

    def answer(self) -> dict[str, Any]:
        """The step as JSON."""
        quantity = {"quantity": None} if self.quantity is None else _exact("quantity", self.quantity)
        unit_amount = None if self.unit_amount is None else numbers.text(self.unit_amount)
        return {"label": self.label, **quantity, "unit_amount": unit_amount, **_exact("amount", self.amount)}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice. `amount` is rounded, `unrounded` exact; `would_be` is what the loser of a
    choice would cost.
    """

    component: str | None
    group: str | None
    kind: str
    name: str
    mode: str
    timing: str
    dimensions: Mapping[str, str]
    quantity: Fraction
    unit: str
    amount: Decimal
    unrounded: Fraction
    compute: Decimal | None = None
    storage: Decimal | None = None
    would_be: Decimal | None = None
    note: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def key(self) -> tuple[str | None, str | None, tuple[tuple[str, str], ...], str]:
        """What makes it the same line on another invoice of the same service period."""
        return self.component, self.group, tuple(sorted(self.dimensions.items())), self.kind

    def changed_to(self, amount: Decimal, label: str) -> "Line":
        """The line with another amount: a step holds the exact rest, compute and storage change in
        proportion.
        """
        return self._with(amount, Fraction(amount), label)

    def cleared(self, label: str) -> "Line":
        """The line at 0."""
        return self.changed_to(self.amount.copy_abs() * 0, label)

    def less(self, billed: Decimal) -> "Line":
        """What is still due of the line when so much of it was billed before."""
        due = self.amount - billed
        return self._with(due, self.unrounded - Fraction(billed), "billed before")

    def _with(self, amount: Decimal, unrounded: Fraction, label: str) -> "Line":
        rest = unrounded - self.unrounded
        step = Step(f"{label}: {numbers.shown(rest)[0]}", None, None, rest)
        compute, storage = self._parts_of(amount)
        return replace(
            self,
            amount=amount,
            unrounded=unrounded,
            compute=compute,
            storage=storage,
            steps=(*self.steps, step),
        )

    def _parts_of(self, amount: Decimal) -> tuple[Decimal | None, Decimal | None]:
        if self.compute is None:
            return None, None
        share = Fraction(amount) / Fraction(self.amount) if self.amount else Fraction(0)
        return parts(Fraction(self.compute) * share, amount)

    def answer(self) -> dict[str, Any]:
        """The line as JSON."""
        return {
            "component": self.component,
            "group": self.group,
            "kind": self.kind,
            "name": self.name,
            "mode": self.mode,
            "timing": self.timing,
            "dimensions": dict(self.dimensions),
            **_exact("quantity", self.quantity),
            "unit": self.unit,
            "amount": _money(self.amount),
            **_exact("unrounded", self.unrounded),
            "compute": _money(self.compute),
            "storage": _money(self.storage),
            "would_be": _money(self.would_be),
            "note": self.note,
            "steps": [step.answer() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class TakenDiscount:
    """A discount of the plan and what it took off; the amount is positive."""

    name: str
    percent: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Usage of a meter that no component names, or an event that a meter could not count, with the reason."""

    meter: str
    quantity: Fraction
    unit: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    def answer(self) -> dict[str, Any]:
        """The unbilled usage as JSON."""
        return {
            "meter": self.meter,
            "dimensions": dict(self.dimensions),
            **_exact("quantity", self.quantity),
            "unit": self.unit,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Statement:
    """What is due for a service period, before tax and credits: subtotal = sum of lines, total = subtotal
    - discounts.
    """

    currency: str
    lines: tuple[Line, ...]
    subtotal: Decimal
    discounts: tuple[TakenDiscount, ...]
    total: Decimal
    unbilled: tuple[Unbilled, ...] = ()

    def answer(self) -> dict[str, Any]:
        """The statement as JSON, as quotes, previews and invoices show it."""
        return {
            "currency": self.currency,
            "lines": [line.answer() for line in self.lines],
            "subtotal": _money(self.subtotal),
            "discounts": [
                {"name": each.name, "percent": numbers.text(each.percent), "amount": _money(each.amount)}
                for each in self.discounts
            ],
            "total": _money(self.total),
            "unbilled": [each.answer() for each in self.unbilled],
        }


def parts(compute: Fraction, amount: Decimal) -> tuple[Decimal, Decimal]:
    """The rounded part for compute, and the rest of the amount for storage."""
    rounded = numbers.round_half_up(compute, max(0, -int(amount.as_tuple().exponent)))
    return rounded, amount - rounded


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _exact(key: str, value: Fraction) -> dict[str, str]:
    shown, exact = numbers.shown(value)
    return {key: shown} if exact is None else {key: shown, f"{key}_exact": exact}
