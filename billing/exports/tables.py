"""The columns of the exported tables: one row a voucher, and one row an amount of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from billing.exports.shape import Column, Table, Type
from billing.exports.totals import to_places
from billing.exports.vouchers import Entry, Voucher
from billing.models import Invoice


class Row(NamedTuple):
    """What stands behind a row of lines."""

    voucher: Voucher
    entry: Entry


def of_lines(voucher: Voucher) -> Sequence[Row]:
    """A row for each entry."""
    return [Row(voucher, entry) for entry in voucher.entries]


def _buyer(name: str) -> Callable[[Voucher], Any]:
    return lambda voucher: voucher.buyer[name]


def _buyer_key(row: Row) -> str:
    key: str = row.voucher.buyer["key"]
    return key


def _line(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.entry.line, name)


def _money(name: str) -> Callable[[Row], Any]:
    def value(row: Row) -> Any:
        amount = getattr(row.entry.line, name)
        return None if amount is None else to_places(row.voucher.currency, amount)

    return value


def _period(name: str) -> Callable[[Row], Any]:
    return lambda row: None if row.entry.period is None else getattr(row.entry.period, name)


def _subscription(name: str) -> Callable[[Row], Any]:
    return lambda row: None if row.entry.period is None else getattr(row.entry.period.subscription, name)


def _state(voucher: Voucher) -> str:
    # Whether it was paid is no part of what was invoiced: a payment leaves a closed month's files alone.
    return Invoice.State.VOID if voucher.is_void else Invoice.State.FINALIZED


def _void_total(voucher: Voucher) -> Any:
    return to_places(voucher.currency, voucher.invoice.total) if voucher.is_void else None


INVOICES = Table(
    name="invoices",
    rows=lambda voucher: [voucher],
    amount="total",
    columns=(
        Column("invoice", Type.TEXT, lambda voucher: voucher.number),
        Column("kind", Type.TEXT, lambda voucher: voucher.kind.value),
        Column("corrects", Type.TEXT, lambda voucher: voucher.corrects),
        Column("state", Type.TEXT, _state),
        Column("finalized_at", Type.INSTANT, lambda voucher: voucher.issued_at),
        Column("due_date", Type.DATE, lambda voucher: voucher.due_date),
        Column(
            "period_start",
            Type.INSTANT,
            lambda voucher: min((each.start_at for each in voucher.periods), default=None),
        ),
        Column(
            "period_end",
            Type.INSTANT,
            lambda voucher: max((each.end_at for each in voucher.periods), default=None),
        ),
        Column("customer", Type.TEXT, _buyer("key")),
        Column("customer_name", Type.TEXT, _buyer("name")),
        Column("customer_legal_name", Type.TEXT, _buyer("legal_name")),
        Column("customer_tax_id", Type.TEXT, _buyer("tax_id")),
        Column("currency", Type.TEXT, lambda voucher: voucher.currency),
        Column("subtotal", Type.DECIMAL, lambda voucher: voucher.subtotal),
        Column("discount_total", Type.DECIMAL, lambda voucher: voucher.discount_total),
        Column("tax_total", Type.DECIMAL, lambda voucher: voucher.tax_total),
        Column("total", Type.DECIMAL, lambda voucher: voucher.total),
        Column("void_total", Type.DECIMAL, _void_total),
        Column("lines", Type.INTEGER, lambda voucher: len(voucher.entries)),
    ),
)

LINES = Table(
    name="lines",
    rows=of_lines,
    amount="amount",
    columns=(
        Column("invoice", Type.TEXT, lambda row: row.voucher.number),
        Column("customer", Type.TEXT, _buyer_key),
        Column("subscription", Type.TEXT, _subscription("key")),
        Column("period_start", Type.INSTANT, _period("start_at")),
        Column("period_end", Type.INSTANT, _period("end_at")),
        Column("timezone", Type.TEXT, _subscription("timezone")),
        Column("part", Type.TEXT, _period("part")),
        Column("position", Type.INTEGER, _line("position")),
        Column("kind", Type.TEXT, _line("kind")),
        Column("adjusts", Type.TEXT, _line("adjusts")),
        Column("group", Type.TEXT, _line("group")),
        Column("component", Type.TEXT, _line("component")),
        Column("name", Type.TEXT, _line("name")),
        Column("mode", Type.TEXT, _line("mode")),
        Column("timing", Type.TEXT, _line("timing")),
        Column("dimensions", Type.JSON, _line("dimensions")),
        Column("quantity", Type.DECIMAL, _line("quantity")),
        Column("quantity_exact", Type.TEXT, _line("quantity_exact")),
        Column("unit", Type.TEXT, _line("unit")),
        Column("currency", Type.TEXT, lambda row: row.voucher.currency),
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
