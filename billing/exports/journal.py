"""A month as journal.csv, double entries for accounting systems: the legs of a transaction add up to zero.

Each invoice and credit note is a transaction: what the customer owes on one side, revenue, discounts and
taxes on the other. Accounts have names, see docs/exports.md; an accounting system maps them to its numbers.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from billing.exports import csv
from billing.exports.shape import Column, Table, Type, Written
from billing.exports.totals import Totals, to_places
from billing.exports.vouchers import PLAN_DISCOUNT, TAX, Entry, Voucher
from metering import numbers

NAME = "journal"
CONTENT_TYPE = "text/csv; charset=utf-8"
IS_FILE_PER_INVOICE = False
READS_INPUTS = False

RECEIVABLE = "receivable"
DISCOUNTS = "discounts"
OTHER = "revenue:other"
_REDUCTIONS = (PLAN_DISCOUNT, "group_discount", "trial")


class TransactionUnbalanced(Exception):
    """An invoice's lines do not add up to its total: it must not get into anybody's books."""


class Leg(NamedTuple):
    """What one account gets of one transaction; positive is a debit."""

    voucher: Voucher
    account: str
    amount: Decimal


def legs(voucher: Voucher) -> list[Leg]:
    """The legs of a voucher, the receivable first, then by account; none where nothing is charged.

    Raises TransactionUnbalanced.
    """
    sums = Totals()
    for entry in voucher.entries:
        sums.add(account(entry), -entry.line.amount)
    with numbers.exact():
        rest = sum(sums.values(), voucher.total)
    if rest:
        raise TransactionUnbalanced(f"the lines of {voucher.number} differ from its total by {rest}")
    others = [Leg(voucher, name, amount) for name, amount in sorted(sums.items()) if amount]
    return [Leg(voucher, RECEIVABLE, voucher.total), *others] if others else []


def account(entry: Entry) -> str:
    """The name of the account that an entry belongs to."""
    line = entry.line
    if line.kind == TAX:
        return f"tax:{line.name}"
    if (line.adjusts or line.kind) in _REDUCTIONS:
        return DISCOUNTS
    return f"revenue:{line.mode.lower()}" if line.mode else OTHER


def _debit(leg: Leg) -> Decimal | None:
    return to_places(leg.voucher.currency, leg.amount) if leg.amount > 0 else None


def _credit(leg: Leg) -> Decimal | None:
    return to_places(leg.voucher.currency, -leg.amount) if leg.amount < 0 else None


def _receivable(leg: Leg) -> Decimal | None:
    return to_places(leg.voucher.currency, leg.amount) if leg.account == RECEIVABLE else None


JOURNAL = Table(
    name="journal",
    rows=legs,
    amount="receivable",
    columns=(
        Column("transaction", Type.TEXT, lambda leg: leg.voucher.number),
        Column("date", Type.DATE, lambda leg: leg.voucher.issued_at.date()),
        Column("account", Type.TEXT, lambda leg: leg.account),
        Column("currency", Type.TEXT, lambda leg: leg.voucher.currency),
        Column("debit", Type.DECIMAL, _debit),
        Column("credit", Type.DECIMAL, _credit),
        Column("amount", Type.DECIMAL, lambda leg: to_places(leg.voucher.currency, leg.amount)),
        Column("receivable", Type.DECIMAL, _receivable),
        Column("customer", Type.TEXT, lambda leg: leg.voucher.buyer["key"]),
        Column("customer_name", Type.TEXT, lambda leg: leg.voucher.buyer["name"]),
        Column("customer_tax_id", Type.TEXT, lambda leg: leg.voucher.buyer["tax_id"]),
        Column("due_date", Type.DATE, lambda leg: leg.voucher.due_date),
        Column("kind", Type.TEXT, lambda leg: leg.voucher.kind.value),
        Column(
            "corrects", Type.TEXT, lambda leg: leg.voucher.invoice.number if leg.voucher.credit_note else None
        ),
    ),
)
TABLES = (JOURNAL,)


def writer(*, folder: Path, month: date) -> csv.Writer:
    """A writer of the file."""
    return csv.Writer(folder, TABLES)


def tally(*, folder: Path, path: str) -> Written:
    """Rows and totals counted again from a written file. Raises ValueError for one that is none of ours."""
    return csv.tally_of(TABLES, folder=folder, path=path)
