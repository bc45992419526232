"""A small named world of invoices: rows as the invoice run leaves them, written straight with the models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.models import Customer, Invoice, InvoiceLine, Seller, ServicePeriod, Subscription

MAY = date(2020, 5, 1)
START = datetime(2020, 5, 1, tzinfo=UTC)
END = datetime(2020, 6, 1, tzinfo=UTC)
FINALIZED_AT = datetime(2020, 6, 3, 9, 30, tzinfo=UTC)
SELLER = {
    "name": "Nordlicht Compute",
    "legal_name": "Nordlicht Compute GmbH",
    "tax_id": "DE 123 456 789",
    "address": "Hafenstraße 12\n20457 Hamburg\nGermany",
    "email": "billing@nordlicht.example",
    "payment_reference": "IBAN DE02 1203 0000 0000 2020 51 · BIC BYLADEM1001\nNordlicht Compute GmbH",
}


def seller() -> Seller:
    return Seller.objects.get_or_create(id=1, defaults=SELLER)[0]


def customer(key: str = "acme", **values: Any) -> Customer:
    defaults = {"name": "Acme Research", "currency": "USD", "created_at": START}
    return Customer.objects.create(key=key, **{**defaults, **values})


def line(name: str, amount: str, **values: Any) -> dict[str, Any]:
    """The columns of a line; ``values`` over what a usage line usually has."""
    usual = {"kind": "usage", "component": "calls", "mode": "USAGE", "timing": "IN_ARREARS", "unit": ""}
    return {**usual, "name": name, "amount": Decimal(amount), "unrounded": amount, **values}


def calls(
    quantity: str = "8819", amount: str = "1322.85", unit_amount: str = "0.15", **values: Any
) -> dict[str, Any]:
    """A line of a quantity at one price."""
    step = {
        "label": f"{quantity} x {unit_amount}",
        "quantity": quantity,
        "unit_amount": unit_amount,
        "amount": amount,
    }
    return line("Model calls", amount, quantity=quantity, unit="call", steps=[step], **values)


def draft(
    *,
    lines: Sequence[dict[str, Any]],
    buyer: Customer | None = None,
    discounts: Sequence[dict[str, str]] = (),
    start_at: datetime = START,
    end_at: datetime = END,
    timezone: str = "UTC",
    part: str = "ARREARS",
) -> Invoice:
    """A draft of one service period of a new subscription."""
    seller()
    buyer = buyer or customer()
    zero = Decimal(0)
    invoice = Invoice.objects.create(
        customer=buyer,
        currency=buyer.currency,
        subtotal=zero,
        discount_total=zero,
        total=zero,
        drafted_at=end_at,
    )
    add_period(
        invoice,
        lines=lines,
        discounts=discounts,
        start_at=start_at,
        end_at=end_at,
        timezone=timezone,
        part=part,
    )
    return invoice


def add_period(
    invoice: Invoice,
    *,
    lines: Sequence[dict[str, Any]],
    discounts: Sequence[dict[str, str]] = (),
    start_at: datetime = START,
    end_at: datetime = END,
    timezone: str = "UTC",
    part: str = "ARREARS",
) -> ServicePeriod:
    """One more service period on a draft, of one more subscription; the draft's sums grow by it."""
    number = Subscription.objects.count() + 1
    subscription = Subscription.objects.create(
        key=f"sub-{number}",
        customer=invoice.customer,
        anchor_date=start_at.date(),
        timezone=timezone,
        start_at=start_at,
        created_at=start_at,
    )
    subtotal = sum((one["amount"] for one in lines), Decimal(0))
    discount = sum((Decimal(one["amount"]) for one in discounts), Decimal(0))
    period = ServicePeriod.objects.create(
        invoice=invoice,
        subscription=subscription,
        start_at=start_at,
        end_at=end_at,
        part=part,
        subtotal=subtotal,
        discounts=list(discounts),
        total=subtotal - discount,
        rating_input=b"",
        rating_sha256="0" * 64,
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(service_period=period, position=position, **one)
        for position, one in enumerate(lines, start=1)
    )
    invoice.subtotal += subtotal
    invoice.discount_total += discount
    invoice.total += subtotal - discount
    invoice.save()
    return period


def finalized(invoice: Invoice, number: str = "INV-000001", at: datetime = FINALIZED_AT) -> Invoice:
    """The draft, finalized: frozen by the database from now on."""
    buyer = invoice.customer
    invoice.state = Invoice.State.FINALIZED
    invoice.number = number
    invoice.finalized_at = at
    invoice.due_date = date(2020, 7, 3)
    invoice.seller = SELLER
    invoice.buyer = {
        name: getattr(buyer, name)
        for name in ("key", "name", "legal_name", "tax_id", "address", "email", "timezone", "locale")
    }
    invoice.save()
    return invoice


def in_state(invoice: Invoice, state: str) -> Invoice:
    """The finalized invoice, later paid or void."""
    invoice.state = state
    invoice.save()
    return invoice
