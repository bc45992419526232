"""Invoices, with and without their lines."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from billing.api.shapes.statements import Discount, Line, Unbilled
from billing.api.shapes.values import Amount, Date
from metering.api.shapes import Cursor, Instant, Shape


class Tax(Shape):
    """A tax on a base. ``note`` is what the law wants to be said with it."""

    name: str
    percent: Amount
    base: Amount
    amount: Amount
    note: str


class Invoice(Shape):
    """An invoice without its lines: total = subtotal less discount_total plus tax_total.

    A draft has no number, and is computed anew until it is finalized, from ``finalize_at`` on.
    """

    id: int
    number: str | None
    customer: str
    state: str
    currency: str
    subtotal: Amount
    discount_total: Amount
    tax_total: Amount
    taxes: list[Tax]
    total: Amount
    drafted_at: Instant
    finalize_at: Instant | None
    finalized_at: Instant | None
    voided_at: Instant | None
    due_date: Date | None
    replaces: Annotated[str | None, Meta(description="the number of the void invoice that it replaces")]
    blocked_reason: str


class Invoices(Shape):
    """Invoices, the latest first."""

    invoices: list[Invoice]
    next: Cursor | None


class ChargedLine(Line, kw_only=True):
    """A line of an invoice. ``adjusts``: of an adjustment, the kind of line that it changes.

    ``id``: names the line where a part of it is credited. A draft's lines are made anew now and then.
    """

    id: int
    adjusts: str


class ServicePeriod(Shape):
    """A subscription's period [start_at, end_at) on an invoice, with its lines.

    ``sequence`` counts how often the period was charged: adjustments of it follow with higher ones.
    """

    subscription: str
    start_at: Instant
    end_at: Instant
    part: str
    sequence: int
    subtotal: Amount
    discounts: list[Discount]
    total: Amount
    lines: list[ChargedLine]
    unbilled: list[Unbilled]


class FullInvoice(Invoice):
    """An invoice. ``seller`` and ``buyer`` are as printed, empty for a draft."""

    seller: dict[str, Any]
    buyer: dict[str, Any]
    service_periods: list[ServicePeriod]
