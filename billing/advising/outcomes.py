"""What became of one plan in a comparison, and why the cheapest one is it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.advising.candidates import Compared
from billing.advising.pricing import Month, Priced, Unpriced
from billing.documents import currencies
from billing.documents.nodes import PlanDocument
from billing.rating import Line, Statement
from metering import numbers, periods

PRICED, UNPRICED, REFUSED = "priced", "unpriced", "refused"
ZERO = Decimal(0)
DECIDING_MAX = 3
_PERCENT_PLACES = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """A plan with the months of the workload and what they cost. `plan`: with market prices fixed."""

    compared: Compared
    plan: PlanDocument
    months: Sequence[Month]
    priced: Priced

    @property
    def is_priced(self) -> bool:
        """Whether every month has a price."""
        return self.priced.unpriced is None

    @property
    def total(self) -> Decimal:
        """What all months cost together."""
        with numbers.exact():
            return sum((each.total for each in self.priced.statements), ZERO)

    def months_within(self, budget: Decimal) -> int:
        """In how many months the plan costs no more than the budget."""
        return sum(1 for each in self.priced.statements if each.total <= budget)

    def answer(self, *, lowest: Decimal | None, budget: Decimal | None, is_compared: bool) -> dict[str, Any]:
        """The outcome as JSON. `lowest`: what the cheapest plan costs."""
        plan, unpriced = self.compared.plan, self.priced.unpriced
        totals = [each.total for each in self.priced.statements]
        return {
            "plan": self.compared.label,
            "code": plan.code,
            "name": plan.name,
            "currency": plan.currency,
            "status": PRICED if unpriced is None else _status(unpriced),
            "is_compared": is_compared,
            "total": f"{self.total:f}" if totals else None,
            "average": self._average() if totals else None,
            "lowest": f"{min(totals):f}" if totals else None,
            "highest": f"{max(totals):f}" if totals else None,
            "difference": f"{self.total - lowest:f}" if lowest is not None else None,
            "months_within_budget": None
            if budget is None or unpriced is not None
            else self.months_within(budget),
            "modes": self._modes(),
            "deciding": [_deciding(line, self.total) for line in self.deciding()],
            "left_out": sorted({each.meter for month in self.priced.statements for each in month.unbilled}),
            "months": [
                _month(month, statement)
                for month, statement in zip(self.months, self.priced.statements, strict=False)
            ],
            "error": None if unpriced is None else _error(unpriced),
        }

    def deciding(self) -> list["Sum"]:
        """The components that cost most, over all months."""
        sums: dict[tuple[str, str], Sum] = {}
        for statement in self.priced.statements:
            for line in statement.lines:
                key = (line.component or line.group or line.kind, line.kind)
                sums[key] = sums[key].plus(line) if key in sums else Sum.of(line)
        found = sorted(sums.values(), key=lambda each: -each.amount)
        return [each for each in found if each.amount][:DECIDING_MAX]

    def _average(self) -> str:
        count = len(self.priced.statements)
        digits = currencies.digits(self.compared.plan.currency)
        return f"{numbers.round_half_up(Fraction(self.total) / count, digits):f}"

    def _modes(self) -> list[str]:
        lines = [line for each in self.priced.statements for line in each.lines if line.amount]
        return list(dict.fromkeys(line.mode for line in lines))


@dataclass(frozen=True, slots=True)
class Sum:
    """Lines of one component and kind, added up."""

    name: str
    mode: str
    kind: str
    component: str | None
    quantity: Fraction
    unit: str
    amount: Decimal

    @classmethod
    def of(cls, line: Line) -> "Sum":
        """The sum of one line."""
        return cls(line.name, line.mode, line.kind, line.component, line.quantity, line.unit, line.amount)

    def plus(self, line: Line) -> "Sum":
        """The sum with one more line."""
        with numbers.exact():
            amount = self.amount + line.amount
        quantity = self.quantity + line.quantity
        return Sum(self.name, self.mode, self.kind, self.component, quantity, self.unit, amount)

    @property
    def words(self) -> str:
        """Such as "Run time, 1000 minute: 60.00"."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name}, {numbers.shown(self.quantity)[0]}{unit}: {self.amount:f}"


def why(compared: Mapping[int, Outcome], best: int | None) -> list[str]:
    """Why the cheapest plan is it, in sentences: what it costs, which lines decide, and the next one's."""
    if best is None:
        return ["No plan can price the workload."]
    first = compared[best]
    currency = first.compared.plan.currency
    lines = "; ".join(each.words for each in first.deciding()) or "nothing is due"
    found = [f"{first.compared.label} costs {first.total:f} {currency}: {lines}."]
    others = sorted((each for place, each in compared.items() if place != best), key=lambda each: each.total)
    for other in others:
        lines = "; ".join(each.words for each in other.deciding()) or "nothing is due"
        more = other.total - first.total
        words = f"{more:f} {currency} more" if more else "as much"
        found.append(f"{other.compared.label} costs {other.total:f} {currency}, {words}: {lines}.")
    return found


def exact(key: str, value: Fraction) -> dict[str, str]:
    """A number under a key, and beside it "p/q" under key_exact where no decimal ends."""
    shown, fraction = numbers.shown(value)
    return {key: shown} if fraction is None else {key: shown, f"{key}_exact": fraction}


def periods_of(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """The months of the workload."""
    shown = max(outcomes, key=lambda each: len(each.months))
    return [_period(month) for month in shown.months]


def _period(month: Month) -> dict[str, str]:
    return {
        "start": periods.format_instant(month.period.start),
        "end": periods.format_instant(month.period.end),
    }


def _month(month: Month, statement: Statement) -> dict[str, Any]:
    return {**_period(month), "total": f"{statement.total:f}", "statement": statement.answer()}


def _deciding(line: Sum, total: Decimal) -> dict[str, Any]:
    share = Fraction(line.amount) / Fraction(total) * 100 if total else Fraction(0)
    return {
        "component": line.component,
        "name": line.name,
        "kind": line.kind,
        "mode": line.mode,
        **exact("quantity", line.quantity),
        "unit": line.unit,
        "amount": f"{line.amount:f}",
        "share_percent": f"{numbers.round_half_up(share, _PERCENT_PLACES):f}",
    }


def _status(unpriced: Unpriced) -> str:
    return UNPRICED if unpriced.error.code == UNPRICED else REFUSED


def _error(unpriced: Unpriced) -> dict[str, Any]:
    row = unpriced.row
    return {
        "code": unpriced.error.code,
        "message": unpriced.error.message,
        "field": unpriced.error.field,
        "meter": None if row is None else row.meter,
        "dimensions": {} if row is None else dict(row.dimensions),
        "month": _period(unpriced.month),
    }
