"""What is due, line by line: of quotes, of usage now, and on invoices."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from billing.api.shapes.values import Amount, Exact, Quantity
from metering.api.shapes import Instant, Shape


class Step(Shape, kw_only=True):
    """A step from the quantity to the amount."""

    label: str
    quantity: Quantity | None
    quantity_exact: Exact | UnsetType = UNSET
    unit_amount: Amount | None
    amount: Quantity
    amount_exact: Exact | UnsetType = UNSET


class Line(Shape, kw_only=True):
    """An explained amount. ``amount`` is rounded to the currency's digits, ``unrounded`` exact."""

    component: str | None
    group: str | None
    kind: str
    name: str
    mode: str | None
    timing: str | None
    dimensions: dict[str, str]
    quantity: Quantity | None
    quantity_exact: Exact | UnsetType = UNSET
    unit: str
    amount: Amount
    unrounded: Quantity
    unrounded_exact: Exact | UnsetType = UNSET
    compute: Amount | None
    storage: Amount | None
    would_be: Amount | None
    note: str
    steps: list[Step]


class Discount(Shape):
    """A discount of the plan, and what it took off."""

    name: str
    percent: Amount
    amount: Amount


class Unbilled(Shape, kw_only=True):
    """Usage that nothing is charged for, and why."""

    meter: str
    dimensions: dict[str, str]
    quantity: Quantity
    quantity_exact: Exact | UnsetType = UNSET
    unit: str
    reason: str


class Statement(Shape):
    """What is due before tax: subtotal = sum of the lines, total = subtotal less the plan's discounts."""

    currency: str
    lines: list[Line]
    subtotal: Amount
    discounts: list[Discount]
    total: Amount
    unbilled: list[Unbilled]


class QuoteFault(Shape):
    """Why a quote cannot be given. ``field`` is the place in the request."""

    code: str
    message: str
    field: str


class QuoteRefused(Shape):
    """A request for a quote that cannot be answered; what the transport refuses is a problem+json."""

    error: QuoteFault


class PieceNow(Shape):
    """What a subscription is charged for a piece [start_at, end_at) of its billing period, as of now.

    ``statement`` is null where amounts cannot be said, for ``blocked_reason``.
    """

    subscription: str
    start_at: Instant
    end_at: Instant
    statement: Statement | None
    blocked_reason: str


class CustomerNow(Shape):
    """What a customer's invoice would be now, before tax. ``total`` is null unless each amount is known."""

    customer: str
    as_of: Instant
    currency: str
    pieces: list[PieceNow]
    total: Amount | None
