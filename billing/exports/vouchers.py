"""What a month consists of: invoices, and credit notes, as accountants take them, one shape for both.

The entries of a voucher add up to its total: stored lines, then the discounts of each service period as
negative ones, then the taxes. A credit note's amounts are negative; a void invoice has no entries.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from billing.exports import parties
from billing.exports.totals import to_places
from billing.models import CreditNote, Invoice, InvoiceLine, ServicePeriod
from metering import numbers

PLAN_DISCOUNT = "plan_discount"
TAX = "tax"
ADJUSTMENT = "adjustment"
ZERO = Decimal(0)


class Kind(enum.StrEnum):
    """What a voucher is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True)
class Entry:
    """An amount of a voucher: a stored line, or one made here of a discount, a tax or a credit note's line.

    ``period``: the service period that it belongs to; None for a tax, and for what a person gave back freely.
    ``detail``: names it on the voucher, "2/5": the second period's fifth line; "tax/1".
    """

    period: ServicePeriod | None
    line: InvoiceLine
    detail: str


@dataclass(frozen=True)
class Voucher:
    """An invoice, or a credit note on ``invoice``, with its service periods and lines loaded."""

    invoice: Invoice
    credit_note: CreditNote | None = None
    # From when on nothing that happens to the invoice changes what its month says of it.
    closed_at: datetime | None = None
    # What several formats compute of it, by the module that does.
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> Kind:
        return Kind.CREDIT_NOTE if self.credit_note else Kind.INVOICE

    @property
    def number(self) -> str:
        """What it is called; that of a draft says that it is one."""
        return str(self.credit_note or self.invoice)

    @property
    def corrects(self) -> str | None:
        """The number of the invoice that a credit note corrects."""
        return self.invoice.number if self.credit_note else None

    @property
    def is_void(self) -> bool:
        """Whether it charges nothing. One that was voided after its month was closed still does there."""
        if self.credit_note is not None or self.invoice.state != Invoice.State.VOID:
            return False
        return (
            self.closed_at is None
            or self.invoice.voided_at is None
            or self.invoice.voided_at <= self.closed_at
        )

    @property
    def is_taking_back(self) -> bool:
        """Whether it is the correction for an invoice that was voided, see `taking_back`."""
        return self.credit_note is not None and self.credit_note.pk is None

    @property
    def state(self) -> str:
        """The invoice's state by this voucher: whether it was paid, too; never VOID where it charges."""
        is_still_charged = self.invoice.state == Invoice.State.VOID and not self.is_void
        return Invoice.State.FINALIZED if is_still_charged else self.invoice.state

    @property
    def issued_at(self) -> datetime | None:
        return self.credit_note.issued_at if self.credit_note else self.invoice.finalized_at

    @property
    def due_date(self) -> date | None:
        return None if self.credit_note else self.invoice.due_date

    @property
    def currency(self) -> str:
        return self.invoice.currency

    @cached_property
    def buyer(self) -> dict[str, Any]:
        """The customer as printed; see `parties.buyer`."""
        return parties.buyer(self.invoice)

    @cached_property
    def seller(self) -> dict[str, Any]:
        """The seller as printed; see `parties.seller`."""
        return parties.seller(self.invoice)

    @cached_property
    def periods(self) -> list[ServicePeriod]:
        return [] if self.credit_note else list(self.invoice.service_periods.all())

    @property
    def taxes(self) -> list[dict[str, Any]]:
        """``{name, percent, base, amount, note}``, positive also on a credit note."""
        taxes: list[dict[str, Any]] = (self.credit_note or self.invoice).taxes
        return taxes

    @property
    def subtotal(self) -> Decimal:
        return self._signed((self.credit_note or self.invoice).subtotal)

    @property
    def discount_total(self) -> Decimal:
        return ZERO if self.credit_note else self._signed(self.invoice.discount_total)

    @property
    def tax_total(self) -> Decimal:
        return self._signed((self.credit_note or self.invoice).tax_total)

    @property
    def total(self) -> Decimal:
        """What it adds to what the customer owes; 0 where it is void."""
        return self._signed((self.credit_note or self.invoice).total)

    @cached_property
    def entries(self) -> list[Entry]:
        if self.is_void:
            return []
        if self.is_taking_back:
            found = list(self._taken_back())
        elif self.credit_note:
            own = [_credited(line) for line in self.credit_note.lines.all()]
            found = [Entry(period, line, f"1/{line.position}") for period, line in own]
        else:
            found = [
                Entry(period, line, f"{place}/{line.position}")
                for place, period in enumerate(self.periods, start=1)
                for line in _lines(period)
            ]
        return [*found, *self._tax_entries(len(found))]

    def _taken_back(self) -> Iterator[Entry]:
        """What the void invoice charged, with the other sign."""
        position = 0
        for place, period in enumerate(self.invoice.service_periods.all(), start=1):
            for line in _lines(period):
                if line.amount:
                    position += 1
                    yield Entry(period, _reversed(line, position), f"{place}/{line.position}")

    def _tax_entries(self, after: int) -> Iterator[Entry]:
        for place, tax in enumerate(self.taxes, start=1):
            amount = self._signed(Decimal(tax["amount"]))
            line = InvoiceLine(
                position=after + place,
                kind=TAX,
                name=tax.get("name") or "",
                amount=amount,
                unrounded=f"{amount:f}",
                note=tax.get("note") or (f"{tax['percent']} %" if tax.get("percent") else ""),
            )
            yield Entry(None, line, f"tax/{place}")

    def _signed(self, amount: Decimal) -> Decimal:
        if self.is_void:
            return to_places(self.currency, ZERO)
        return to_places(self.currency, -amount if self.credit_note and amount else amount)


def _lines(period: ServicePeriod) -> Iterator[InvoiceLine]:
    """The stored lines, and the discounts as lines with negative amounts: they add up to the total."""
    position = 0
    for line in period.lines.all():
        position = line.position
        yield line
    for index, discount in enumerate(period.discounts, start=1):
        amount = -Decimal(discount["amount"])
        yield InvoiceLine(
            position=position + index,
            kind=PLAN_DISCOUNT,
            name=discount.get("name") or "",
            amount=amount,
            unrounded=f"{amount:f}",
            note=f"{discount['percent']} %" if discount.get("percent") else "",
        )


def taking_back(invoice: Invoice) -> Voucher:
    """The correction for an invoice that was voided after its month was closed: a credit note for all of it.

    It is nobody's document but a voucher of the books: its number is the invoice's with "-VOID".
    """
    with numbers.exact():
        subtotal = invoice.subtotal - invoice.discount_total
    note = CreditNote(
        invoice=invoice,
        customer=invoice.customer,
        number=f"{invoice.number}-VOID",
        issued_at=invoice.voided_at,
        currency=invoice.currency,
        subtotal=subtotal,
        taxes=invoice.taxes,
        tax_total=invoice.tax_total,
        total=invoice.total,
        reason=f"{invoice.number} was voided",
    )
    return Voucher(invoice, note)


def _reversed(line: InvoiceLine, position: int) -> InvoiceLine:
    return InvoiceLine(
        position=position,
        kind=line.kind,
        adjusts=line.adjusts,
        component=line.component,
        group=line.group,
        dimensions=line.dimensions,
        name=line.name,
        mode=line.mode,
        timing=line.timing,
        amount=-line.amount,
        unrounded=f"{-line.amount:f}",
        note=line.note,
    )


def _credited(line: Any) -> tuple[ServicePeriod | None, InvoiceLine]:
    """A credit note's line as one of an invoice, of the other sign."""
    original: InvoiceLine | None = line.invoice_line
    period: ServicePeriod | None = line.service_period or (original.service_period if original else None)
    amount = -line.amount if line.amount else line.amount
    return period, InvoiceLine(
        position=line.position,
        kind=original.kind if original else line.kind,
        component=line.component,
        group=line.group,
        dimensions=line.dimensions,
        name=line.name,
        mode=original.mode if original else _mode_of(period, line.component),
        amount=amount,
        unrounded=f"{amount:f}",
        note=line.note,
    )


def _mode_of(period: ServicePeriod | None, component: str | None) -> str | None:
    """The mode under which the component was billed in the period."""
    lines = period.lines.all() if period is not None else ()
    return next((each.mode for each in lines if each.component == component), None)
