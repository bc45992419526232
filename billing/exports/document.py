"""What is printed on an invoice: texts in the customer's language, for templates/invoice.typ to set."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from billing.exports import chart, parties, sections
from billing.exports.display import Display, breakable
from billing.exports.vouchers import Voucher
from billing.models import Invoice
from metering import numbers

# The longest words, in characters, that fit into the customer's block and into the facts beside it.
PARTY_WORD = 36
FACT_WORD = 30


def of(voucher: Voucher, *, has_steps: bool = False) -> dict[str, Any]:
    """The texts of an invoice that was read by `invoices.stream` or `invoices.with_lines`, fit for JSON.

    ``sections`` are the service periods, with ``groups`` of ``lines``; ``totals`` the rows below them.
    ``has_steps``: whether a line is followed by all of its steps, and not only by those that it needs.
    """
    show = Display(voucher.buyer["locale"])
    is_credit = voucher.credit_note is not None
    return {
        "labels": show.labels,
        "language": show.language,
        "title": show.labels["credit_note" if is_credit else "invoice"],
        "state": "CREDIT" if is_credit else voucher.state,
        "number": voucher.credit_note.number if voucher.credit_note else voucher.invoice.number or "",
        "currency": voucher.currency,
        "seller": _party(voucher.seller)
        | {"payment": breakable(voucher.seller.get("payment_reference") or "", length_max=PARTY_WORD)},
        "buyer": _party(voucher.buyer),
        "facts": [[label, breakable(text, length_max=FACT_WORD)] for label, text in _facts(voucher, show)],
        "sections": sections.of(voucher, show=show, has_steps=has_steps),
        "chart": chart.of(voucher, show),
        "totals": list(_totals(voucher, show)),
        "parts": _parts(voucher, show),
        "notes": [breakable(tax["note"]) for tax in voucher.taxes if tax.get("note")],
        "total_due": show.money(_printed(voucher), voucher.currency),
        "closing": _closing(voucher, show),
    }


def _party(party: dict[str, Any]) -> dict[str, str]:
    texts = {name: breakable(party.get(name) or "", length_max=PARTY_WORD) for name in parties.PARTY_FIELDS}
    if texts["legal_name"] == texts["name"]:
        texts["legal_name"] = ""
    return texts


def _facts(voucher: Voucher, show: Display) -> Iterator[tuple[str, str]]:
    labels, invoice, periods = show.labels, voucher.invoice, voucher.periods
    if voucher.credit_note:
        yield labels["credit_note_number"], voucher.number
        yield labels["corrects"], str(invoice)
    elif invoice.number:
        yield labels["number"], invoice.number
    if voucher.issued_at:
        zone = parties.zone(periods[0]) if periods else voucher.issued_at.tzinfo
        yield (
            labels["dated" if voucher.credit_note else "issued"],
            show.day(voucher.issued_at.astimezone(zone).date()),
        )
    if voucher.due_date and not voucher.is_void:
        yield labels["due"], show.day(voucher.due_date)
    for text in dict.fromkeys(sections.period_text(period, show) for period in periods):
        yield labels["period"], text
    yield labels["customer"], voucher.buyer["key"]


def _printed(voucher: Voucher) -> Decimal:
    """The total as it is printed: what a void invoice came to, and on a credit note what is given back."""
    return voucher.credit_note.total if voucher.credit_note else voucher.invoice.total


def _totals(voucher: Voucher, show: Display) -> Iterator[dict[str, str]]:
    """The rows between the lines and the total due: only where something stands between them."""
    discounts = [discount for period in voucher.periods for discount in period.discounts]
    if not discounts and not voucher.taxes:
        return
    document = voucher.credit_note or voucher.invoice
    yield {"label": show.labels["subtotal"], "amount": show.amount(document.subtotal, voucher.currency)}
    for discount in discounts:
        percent = _percent(discount, show)
        label = (discount.get("name") or show.labels["discount"]) + (f" ({percent})" if percent else "")
        yield {
            "label": breakable(label),
            "amount": show.amount(-Decimal(discount["amount"]), voucher.currency),
        }
    for tax in voucher.taxes:
        base = show.labels["tax_base"].format(base=show.amount(Decimal(tax["base"]), voucher.currency))
        percent = _percent(tax, show)
        is_named = not percent or percent.replace("\u00a0", " ") in tax["name"].replace("\u00a0", " ")
        yield {
            "label": breakable(tax["name"] + ("" if is_named else f" {percent}")) + f" {base}",
            "amount": show.amount(Decimal(tax["amount"]), voucher.currency),
        }


def _percent(entry: dict[str, Any], show: Display) -> str:
    return f"{show.quantity(Decimal(entry['percent']))} %" if entry.get("percent") else ""


def _parts(voucher: Voucher, show: Display) -> str:
    """What of all lines is for compute and what for storage, where any price is split into them."""
    sums = {"compute": Decimal(0), "storage": Decimal(0)}
    is_split = False
    for period in voucher.periods:
        for line in period.lines.all():
            for name in sums:
                amount = getattr(line, name)
                if amount is not None and line.amount:
                    is_split = True
                    with numbers.exact():
                        sums[name] += amount
    if not is_split:
        return ""
    return " · ".join(f"{show.labels[name]} {show.amount(sums[name], voucher.currency)}" for name in sums)


def _closing(voucher: Voucher, show: Display) -> str:
    """The last sentence: how to pay, or why there is nothing to pay."""
    if voucher.credit_note:
        reason = show.labels["void"] if voucher.is_taking_back else voucher.credit_note.reason
        return breakable(f"{show.labels['reason']} {reason}")
    invoice = voucher.invoice
    if invoice.state == Invoice.State.DRAFT:
        return show.labels["draft_note"]
    if voucher.is_void:
        return show.labels["void_note"]
    if invoice.due_date is None or invoice.total <= 0:
        return ""
    return show.labels["pay_by"].format(
        amount=show.money(invoice.total, invoice.currency),
        date=show.day(invoice.due_date),
        number=invoice.number,
    )
