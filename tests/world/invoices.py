"""Finalized invoices with amounts as a test wants them, whatever usage would have given."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from billing import taxes
from billing.invoicing import finalizing
from billing.models import Invoice, InvoiceLine, ServicePeriod, Subscription
from billing.taxes import Rate
from tests.world import catalog

VAT = Rate("VAT 19 %", Decimal(19))


def finalized(
    subscription: Subscription, *amounts: str, discount: str = "0.00", rates: Sequence[Rate] = ()
) -> Invoice:
    """An invoice of October, finalized in November, with a line for each amount."""
    subtotal, off = sum((Decimal(each) for each in amounts), Decimal(0)), Decimal(discount)
    of_invoice = taxes.on(net=subtotal - off, rates=rates, digits=2)
    invoice = Invoice.objects.create(
        customer=subscription.customer,
        currency=subscription.customer.currency,
        subtotal=subtotal,
        discount_total=off,
        taxes=[each.answer() for each in of_invoice],
        tax_total=taxes.total(of_invoice),
        total=subtotal - off + taxes.total(of_invoice),
        drafted_at=catalog.IN_NOVEMBER,
    )
    period = ServicePeriod.objects.create(
        invoice=invoice,
        subscription=subscription,
        start_at=catalog.OCTOBER.start,
        end_at=catalog.OCTOBER.end,
        subtotal=subtotal,
        discounts=[{"name": "Launch", "percent": "10", "amount": discount}] if off else [],
        total=subtotal - off,
        rating_input=b"",
        rating_sha256="",
    )
    for position, amount in enumerate(amounts, start=1):
        InvoiceLine.objects.create(
            service_period=period,
            position=position,
            kind="usage",
            component=f"part{position}",
            name=f"Part {position}",
            amount=Decimal(amount),
            unrounded=amount,
        )
    return finalizing.freeze(invoice=invoice, at=catalog.IN_NOVEMBER)
