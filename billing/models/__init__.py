"""The tables of the price side. Each file holds one subject."""

from billing.models.catalog import Plan, PlanVersion
from billing.models.customer import Customer, CustomerSubject, Seller
from billing.models.export import Export
from billing.models.invoice import Invoice, InvoiceLine, ServicePeriod
from billing.models.subscription import Subscription, SubscriptionPhase

__all__ = [
    "Customer",
    "CustomerSubject",
    "Export",
    "Invoice",
    "InvoiceLine",
    "Plan",
    "PlanVersion",
    "Seller",
    "ServicePeriod",
    "Subscription",
    "SubscriptionPhase",
]
