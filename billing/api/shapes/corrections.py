"""What becomes of an invoice after it was finalized: payments and credit notes."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from billing.api.shapes.invoices import Tax
from billing.api.shapes.values import Amount
from metering.api.shapes import Cursor, Instant, Shape


class Standing(Shape):
    """What became of an invoice's total, in its currency: total = credited + paid + due - overpaid.

    ``paid``: payments less what went back. ``overpaid``: credited after it had been paid, and owed to the
    customer.
    """

    total: Amount
    credited: Amount
    paid: Amount
    due: Amount
    overpaid: Amount


class Payment(Shape):
    """What came in for an invoice; with a negative amount, what went back."""

    id: int
    invoice: str
    currency: str
    amount: Amount
    received_at: Instant
    reference: str
    recorded_at: Instant
    recorded_by: str


class Payments(Shape):
    """The payments of an invoice in the order in which they were recorded.

    ``standing`` is null for a draft and a void invoice, of which nobody owes anything.
    """

    currency: str
    standing: Standing | None
    payments: list[Payment]
    next: Cursor | None


class CreditNote(Shape):
    """What was given back of an invoice: total = subtotal plus tax_total, all above zero."""

    number: str
    invoice: str
    customer: str
    issued_at: Instant
    currency: str
    subtotal: Amount
    taxes: list[Tax]
    tax_total: Amount
    total: Amount
    reason: str


class CreditNotes(Shape):
    """Credit notes, the latest first."""

    credit_notes: list[CreditNote]
    next: Cursor | None


class CreditedLine(Shape):
    """An amount of a credit note before tax; negative where a discount goes back with it.

    ``invoice_line``: the id of the line that a person gave back.
    """

    kind: str
    component: str | None
    group: str | None
    dimensions: dict[str, str]
    name: str
    amount: Amount
    note: str
    invoice_line: Annotated[int | None, Meta(description="null where it is no line of the invoice")]


class FullCreditNote(CreditNote):
    """A credit note with its lines. ``seller`` and ``buyer`` are as printed."""

    seller: dict[str, Any]
    buyer: dict[str, Any]
    lines: list[CreditedLine]
