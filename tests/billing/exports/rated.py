"""Invoices of May 2020 with lines, steps and rating inputs as the invoice run stores them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing import evidence
from billing.invoicing import lines as rows
from billing.models import Customer, Invoice, InvoiceLine, ServicePeriod, Subscription
from tests.billing.exports import sample

# Meter, quantity, day of May, dimensions.
Used = tuple[str, str, int, dict[str, str]]
NAME = 'Tokens, "in" 出\n🚀'  # everything that a format can stumble over


def meter(slug: str, unit: str, **more: Any) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": slug,
        "unit": unit,
        "event_type": "llm.call",
        "aggregation": "SUM",
        "value": slug,
        "dimensions": {"model": "model"},
        **more,
    }


METERS = [
    meter("input_tokens", "Token"),
    meter("gpu_hours", "GPU-hour"),
    meter("peak", "GB", aggregation="MAX"),
]
TOKENS: dict[str, Any] = {
    "code": "tokens",
    "name": NAME,
    "meter": "input_tokens",
    "per": ["model"],
    "price": {
        "model": "graduated",
        "tiers": [{"up_to": "1000", "unit_amount": "0.01"}, {"up_to": None, "unit_amount": "0.005"}],
    },
}
GPU: dict[str, Any] = {
    "code": "gpu",
    "name": "GPU-hours",
    "meter": "gpu_hours",
    "discount_percent": "10",
    "price": {"model": "per_unit", "unit_amount": {"compute": "2.00", "storage": "0.50"}},
}
SEAT: dict[str, Any] = {
    "code": "seat",
    "name": "Seats",
    "quantity": "2",
    "price": {"model": "per_unit", "unit_amount": "20"},
}
# tokens: 1,000 x 0.01 + 500 x 0.005 = 12.50 of m1, 3 x 0.01 = 0.03 of m2;
# gpu: 10 x 2.50 less 10 % = 22.50; seats: 40.00.
USAGE = [
    ("input_tokens", "600", 1, {"model": "m1"}),
    ("input_tokens", "900", 3, {"model": "m1"}),
    ("input_tokens", "1", 1, {"model": "m2"}),
    ("input_tokens", "1", 2, {"model": "m2"}),
    ("input_tokens", "1", 31, {"model": "m2"}),
    ("gpu_hours", "10/3", 4, {}),
    ("gpu_hours", "20/3", 5, {}),
]


def plan(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "code": "pro",
        "name": "Inference Pro",
        "currency": "USD",
        "interval": "MONTH",
        "components": list(components or (TOKENS, GPU, SEAT)),
        **more,
    }


def at(day: int) -> str:
    return f"2020-05-{day:02}T00:00:00Z"


def rating_input(
    document: dict[str, Any], usage: Sequence[tuple[str, str, int, dict[str, str]]]
) -> dict[str, Any]:
    month = {"start": at(1), "end": "2020-06-01T00:00:00Z"}
    return {
        "version": evidence.LAYOUT,
        "period": month,
        "billed_period": month,
        "timezone": "UTC",
        "as_of": "2020-06-01T00:00:00Z",
        "is_final": True,
        "segments": [
            {**month, "plan": document["code"], "version": 3, "document": document, "overrides": {}}
        ],
        "meters": [{"slug": each["slug"], "version": 1, "document": each} for each in METERS],
        "spans": {},
        "usage": [
            {"meter": slug, "quantity": quantity, "at": at(day), "dimensions": dimensions, "count": 1}
            for slug, quantity, day, dimensions in usage
        ],
        "billed": [],
    }


def draft(
    *,
    document: dict[str, Any] | None = None,
    usage: Sequence[Used] = USAGE,
    buyer: Customer | None = None,
    taxes: Sequence[dict[str, str]] = (),
) -> Invoice:
    """A draft of a rated month; ``taxes`` as the invoice keeps them."""
    sample.seller()
    buyer = buyer or sample.customer()
    written = rating_input(document or plan(), usage)
    statement, packed = evidence.rate(written), evidence.pack(written)
    tax_total = sum((Decimal(tax["amount"]) for tax in taxes), Decimal(0))
    off = sum((each.amount for each in statement.discounts), Decimal(0))
    invoice = Invoice.objects.create(
        customer=buyer,
        currency=buyer.currency,
        subtotal=statement.subtotal,
        discount_total=off,
        tax_total=tax_total,
        taxes=list(taxes),
        total=statement.total + tax_total,
        drafted_at=sample.END,
    )
    period = ServicePeriod.objects.create(
        invoice=invoice,
        subscription=_subscription(buyer, sample.START),
        start_at=sample.START,
        end_at=sample.END,
        subtotal=statement.subtotal,
        discounts=statement.answer()["discounts"],
        total=statement.total,
        rating_input=packed.content,
        rating_sha256=packed.sha256,
    )
    for line in rows.of(statement):
        line.service_period = period
        line.save()
    return invoice


def finalized(number: str = "INV-000001", **options: Any) -> Invoice:
    """The same, finalized."""
    return sample.finalized(draft(**options), number)


def lines(invoice: Invoice) -> list[InvoiceLine]:
    return list(InvoiceLine.objects.filter(service_period__invoice=invoice).order_by("position"))


def _subscription(buyer: Customer, start_at: datetime) -> Subscription:
    return Subscription.objects.create(
        key=f"rated-{Subscription.objects.count() + 1}",
        customer=buyer,
        anchor_date=start_at.date(),
        timezone="UTC",
        start_at=start_at,
        created_at=start_at,
    )
