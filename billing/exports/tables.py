"""The columns of the exported tables: one row an invoice, and one row a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.exports import invoices
from billing.exports.shape import Column, Table, Type
from billing.exports.totals import to_places
from billing.models import Invoice, InvoiceLine, ServicePeriod

DISCOUNT = "plan_discount"
ZERO = Decimal(0)


@dataclass(frozen=True)
class Row:
    """What stands behind a row: an invoice with its service periods, or one line in its period."""

    invoice: Invoice
    periods: list[ServicePeriod]
    line: InvoiceLine | None = None

    @property
    def is_void(self) -> bool:
        return self.invoice.state == Invoice.State.VOID

    @property
    def period(self) -> ServicePeriod:
        return self.periods[0]

    def amount(self, value: Decimal | None) -> Decimal | None:
        """A money value with its currency's decimal places."""
        return None if value is None else to_places(self.invoice.currency, value)

    def charged(self, value: Decimal) -> Decimal | None:
        """A sum of the invoice; zero where it is void, so that columns add up to what is owed."""
        return self.amount(ZERO if self.is_void else value)


def of_invoice(invoice: Invoice) -> list[Row]:
    """The one row of an invoice."""
    return [Row(invoice, list(invoice.service_periods.all()))]


def of_lines(invoice: Invoice) -> list[Row]:
    """A row for each line, then one for each discount of its service period; none for a void invoice."""
    if invoice.state == Invoice.State.VOID:
        return []
    periods = invoice.service_periods.all()
    return [Row(invoice, [period], line) for period in periods for line in _lines(period)]


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
            kind=DISCOUNT,
            name=discount.get("name") or "",
            amount=amount,
            unrounded=f"{amount:f}",
            note=f"{discount['percent']} %" if discount.get("percent") else "",
        )


def _buyer(name: str) -> Callable[[Row], Any]:
    return lambda row: invoices.buyer(row.invoice)[name]


def _line(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.line, name)


def _money(name: str) -> Callable[[Row], Any]:
    return lambda row: row.amount(getattr(row.line, name))


def _state(row: Row) -> str:
    # Whether it was paid is no part of what was invoiced: a payment leaves a closed month's files alone.
    return Invoice.State.VOID if row.is_void else Invoice.State.FINALIZED


INVOICES = Table(
    name="invoices",
    rows=of_invoice,
    amount="total",
    columns=(
        Column("invoice", Type.TEXT, lambda row: row.invoice.number),
        Column("state", Type.TEXT, _state),
        Column("finalized_at", Type.INSTANT, lambda row: row.invoice.finalized_at),
        Column("due_date", Type.DATE, lambda row: row.invoice.due_date),
        Column(
            "period_start",
            Type.INSTANT,
            lambda row: min((each.start_at for each in row.periods), default=None),
        ),
        Column(
            "period_end", Type.INSTANT, lambda row: max((each.end_at for each in row.periods), default=None)
        ),
        Column("customer", Type.TEXT, _buyer("key")),
        Column("customer_name", Type.TEXT, _buyer("name")),
        Column("customer_legal_name", Type.TEXT, _buyer("legal_name")),
        Column("customer_tax_id", Type.TEXT, _buyer("tax_id")),
        Column("currency", Type.TEXT, lambda row: row.invoice.currency),
        Column("subtotal", Type.DECIMAL, lambda row: row.charged(row.invoice.subtotal)),
        Column("discount_total", Type.DECIMAL, lambda row: row.charged(row.invoice.discount_total)),
        Column("total", Type.DECIMAL, lambda row: row.charged(row.invoice.total)),
        Column(
            "void_total", Type.DECIMAL, lambda row: row.amount(row.invoice.total) if row.is_void else None
        ),
        Column("lines", Type.INTEGER, lambda row: len(of_lines(row.invoice))),
    ),
)

LINES = Table(
    name="lines",
    rows=of_lines,
    amount="amount",
    columns=(
        Column("invoice", Type.TEXT, lambda row: row.invoice.number),
        Column("customer", Type.TEXT, _buyer("key")),
        Column("subscription", Type.TEXT, lambda row: row.period.subscription.key),
        Column("period_start", Type.INSTANT, lambda row: row.period.start_at),
        Column("period_end", Type.INSTANT, lambda row: row.period.end_at),
        Column("timezone", Type.TEXT, lambda row: row.period.subscription.timezone),
        Column("part", Type.TEXT, lambda row: row.period.part),
        Column("position", Type.INTEGER, _line("position")),
        Column("kind", Type.TEXT, _line("kind")),
        Column("group", Type.TEXT, _line("group")),
        Column("component", Type.TEXT, _line("component")),
        Column("name", Type.TEXT, _line("name")),
        Column("mode", Type.TEXT, _line("mode")),
        Column("timing", Type.TEXT, _line("timing")),
        Column("dimensions", Type.JSON, _line("dimensions")),
        Column("quantity", Type.DECIMAL, _line("quantity")),
        Column("quantity_exact", Type.TEXT, _line("quantity_exact")),
        Column("unit", Type.TEXT, _line("unit")),
        Column("currency", Type.TEXT, lambda row: row.invoice.currency),
        Column("amount", Type.DECIMAL, _money("amount")),
        Column("unrounded", Type.DECIMAL, _line("unrounded")),
        Column("unrounded_exact", Type.TEXT, _line("unrounded_exact")),
        Column("compute", Type.DECIMAL, _money("compute")),
        Column("storage", Type.DECIMAL, _money("storage")),
        Column("would_be", Type.DECIMAL, _money("would_be")),
        Column("note", Type.TEXT, _line("note")),
    ),
)

ALL = (INVOICES, LINES)
