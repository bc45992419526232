"""A customer's terms: how long drafts wait, and invoices. Their own ones, else the seller's."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing.models import Customer, Seller
from billing.registering import SELLER_ID


def seller() -> Seller | None:
    """The seller, None where nobody has entered one yet."""
    return Seller.objects.filter(pk=SELLER_ID).first()


def grace(*, customer: Customer, seller: Seller | None) -> timedelta:
    """For how long after its last period a draft follows late usage."""
    hours = customer.grace_hours
    if hours is None:
        hours = 0 if seller is None else seller.grace_hours
    return timedelta(hours=hours)


def due_date(*, customer: Customer, seller: Seller, at: datetime) -> date:
    """The day by which an invoice of the instant is to be paid, by the customer's calendar."""
    days = seller.due_days if customer.due_days is None else customer.due_days
    return at.astimezone(ZoneInfo(customer.timezone)).date() + timedelta(days=days)
