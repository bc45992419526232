"""What is printed on an invoice: texts in the customer's language, for templates/invoice.typ to set."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.exports import invoices
from billing.exports.display import Display, breakable
from billing.models import Invoice, InvoiceLine, ServicePeriod

# The longest words, in characters, that fit into the customer's block and into the facts beside it.
PARTY_WORD = 36
FACT_WORD = 30
# Lines of other kinds are differences to a bound or a share: their names say all that there is to say.
_PRICED_KINDS = ("usage", "fixed")


def of(invoice: Invoice) -> dict[str, Any]:
    """The texts of an invoice that was read by `invoices.stream` or `invoices.with_lines`, fit for JSON.

    ``sections`` are the service periods, with ``groups`` of ``lines``; ``totals`` the rows below them.
    """
    buyer = invoices.buyer(invoice)
    show = Display(buyer["locale"])
    periods = list(invoice.service_periods.all())
    seller = invoices.seller(invoice)
    return {
        "labels": show.labels,
        "language": show.language,
        "state": invoice.state,
        "number": invoice.number or "",
        "currency": invoice.currency,
        "seller": _party(seller)
        | {"payment": breakable(seller.get("payment_reference") or "", length_max=PARTY_WORD)},
        "buyer": _party(buyer),
        "facts": [
            [label, breakable(text, length_max=FACT_WORD)]
            for label, text in _facts(invoice, buyer, periods, show)
        ],
        "sections": [_section(period, invoice, show) for period in periods],
        "totals": list(_totals(invoice, periods, show)),
        "total_due": show.money(invoice.total, invoice.currency),
        "pay_by": _pay_by(invoice, show),
    }


def _party(party: dict[str, Any]) -> dict[str, str]:
    texts = {name: breakable(party.get(name) or "", length_max=PARTY_WORD) for name in invoices.PARTY_FIELDS}
    if texts["legal_name"] == texts["name"]:
        texts["legal_name"] = ""
    return texts


def _facts(
    invoice: Invoice, buyer: dict[str, Any], periods: list[ServicePeriod], show: Display
) -> Iterator[tuple[str, str]]:
    labels = show.labels
    if invoice.number:
        yield labels["number"], invoice.number
    if invoice.finalized_at:
        zone = invoices.zone(periods[0]) if periods else invoice.finalized_at.tzinfo
        yield labels["issued"], show.day(invoice.finalized_at.astimezone(zone).date())
    if invoice.due_date and invoice.state != Invoice.State.VOID:
        yield labels["due"], show.day(invoice.due_date)
    for text in dict.fromkeys(_period(period, show) for period in periods):
        yield labels["period"], text
    yield labels["customer"], buyer["key"]


def _period(period: ServicePeriod, show: Display) -> str:
    zone = invoices.zone(period)
    return f"{show.period(period.start_at, period.end_at, zone)} ({zone.key})"


def _section(period: ServicePeriod, invoice: Invoice, show: Display) -> dict[str, Any]:
    by_group = itertools.groupby(period.lines.all(), key=lambda line: line.group)
    return {
        "title": f"{show.labels['subscription']} {breakable(period.subscription.key)}",
        "period": _period(period, show),
        "groups": [_group(name, list(lines), invoice, show) for name, lines in by_group],
    }


def _group(name: str | None, lines: list[InvoiceLine], invoice: Invoice, show: Display) -> dict[str, Any]:
    return {
        "name": breakable(name or ""),
        "is_chosen": any(line.would_be is None for line in lines),
        "lines": [_line(line, invoice, show) for line in lines],
    }


def _line(line: InvoiceLine, invoice: Invoice, show: Display) -> dict[str, Any]:
    return {
        "name": breakable(line.name),
        "dimensions": breakable(
            " · ".join(f"{name}: {value}" for name, value in sorted(line.dimensions.items()))
        ),
        "note": breakable(line.note),
        "quantity": _quantity(line, show),
        "unit": breakable(line.unit),
        "unit_price": _unit_price(line, show),
        "amount": show.amount(line.amount, invoice.currency),
        "parts": _parts(line, invoice, show),
        "would_be": f"{show.labels['would_be']} {show.amount(line.would_be, invoice.currency)}"
        if line.would_be is not None
        else "",
        "steps": list(_steps(line, show)),
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


def _parts(line: InvoiceLine, invoice: Invoice, show: Display) -> str:
    if not line.amount:
        return ""
    parts = ((show.labels[name], getattr(line, name)) for name in ("compute", "storage"))
    return " · ".join(
        f"{label} {show.amount(amount, invoice.currency)}" for label, amount in parts if amount is not None
    )


def _steps(line: InvoiceLine, show: Display) -> Iterator[str]:
    """The way from the quantity to the amount, where it is more than quantity times unit price."""
    if line.kind not in _PRICED_KINDS or _single_price(line) is not None:
        return
    for step in line.steps:
        if _is_free(step) or Decimal(step["amount"]) != 0:
            yield breakable(show.numbers_in(_step(step)))


def _step(step: dict[str, Any]) -> str:
    """The label of a step and what it comes to, unless the label says that already: "12.5 × 2.5 = 31.25"."""
    label: str = step["label"].replace(" x ", " × ")
    if _is_free(step) or label.endswith(f": {step['amount']}"):
        return label
    return f"{label} = {step['amount']}"


def _is_free(step: dict[str, Any]) -> bool:
    """Whether it tells of units that cost nothing."""
    return step["quantity"] is not None and step["unit_amount"] is None and Decimal(step["amount"]) == 0


def _totals(invoice: Invoice, periods: Iterable[ServicePeriod], show: Display) -> Iterator[dict[str, str]]:
    """The rows between the lines and the total due: only where something stands between them."""
    discounts = [discount for period in periods for discount in period.discounts]
    if not discounts:
        return
    yield {"label": show.labels["subtotal"], "amount": show.amount(invoice.subtotal, invoice.currency)}
    for discount in discounts:
        percent = f" ({show.quantity(Decimal(discount['percent']))} %)" if discount.get("percent") else ""
        yield {
            "label": breakable((discount.get("name") or show.labels["discount"]) + percent),
            "amount": show.amount(-Decimal(discount["amount"]), invoice.currency),
        }


def _pay_by(invoice: Invoice, show: Display) -> str:
    if invoice.due_date is None or invoice.state == Invoice.State.VOID or invoice.total <= 0:
        return ""
    return show.labels["pay_by"].format(
        amount=show.money(invoice.total, invoice.currency),
        date=show.day(invoice.due_date),
        number=invoice.number,
    )
