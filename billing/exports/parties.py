"""Who sold and who bought, as it stands on an invoice, and whose midnights its periods were cut at."""

from __future__ import annotations

import zoneinfo
from typing import Any

from billing.models import Invoice, Seller, ServicePeriod

PARTY_FIELDS = ("name", "legal_name", "tax_id", "address", "email")


def seller(invoice: Invoice) -> dict[str, Any]:
    """The seller as printed on the invoice; on a draft as it is now."""
    if invoice.seller:
        return invoice.seller
    row = Seller.objects.first()
    return {name: getattr(row, name) for name in (*PARTY_FIELDS, "payment_reference")} if row else {}


def buyer(invoice: Invoice) -> dict[str, Any]:
    """The customer as printed on the invoice; what the invoice does not hold, as it is now."""
    names = ("key", *PARTY_FIELDS, "timezone", "locale")
    now = {name: getattr(invoice.customer, name) for name in names}
    return now | {name: value for name, value in invoice.buyer.items() if value is not None}


def zone(period: ServicePeriod) -> zoneinfo.ZoneInfo:
    """The time zone at whose midnights the period was cut."""
    return zoneinfo.ZoneInfo(period.subscription.timezone)
