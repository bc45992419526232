"""The tables of the price side. Each file holds one subject."""

from billing.models.catalog import Plan, PlanVersion
from billing.models.correction import Recheck, Reconciliation
from billing.models.credit_note import CreditNote, CreditNoteLine
from billing.models.customer import Customer, CustomerSubject, Seller
from billing.models.export import Export
from billing.models.history import (
    CustomerHistory,
    CustomerSubjectHistory,
    PlanHistory,
    PlanVersionHistory,
    SubscriptionHistory,
    SubscriptionPauseHistory,
    SubscriptionPhaseHistory,
)
from billing.models.idempotency import IdempotencyRecord
from billing.models.invoice import Invoice, InvoiceLine, ServicePeriod
from billing.models.payment import Payment
from billing.models.run import InvoiceRun, InvoiceRunFailure
from billing.models.subscription import (
    Subscription,
    SubscriptionCycle,
    SubscriptionPause,
    SubscriptionPhase,
)
from billing.models.tax import CustomerTax, TaxRate
from billing.models.what_if import WhatIf, WhatIfDifference

__all__ = [
    "CreditNote",
    "CreditNoteLine",
    "Customer",
    "CustomerHistory",
    "CustomerSubject",
    "CustomerSubjectHistory",
    "CustomerTax",
    "Export",
    "IdempotencyRecord",
    "Invoice",
    "InvoiceLine",
    "InvoiceRun",
    "InvoiceRunFailure",
    "Payment",
    "Plan",
    "PlanHistory",
    "PlanVersion",
    "PlanVersionHistory",
    "Recheck",
    "Reconciliation",
    "Seller",
    "ServicePeriod",
    "Subscription",
    "SubscriptionCycle",
    "SubscriptionHistory",
    "SubscriptionPause",
    "SubscriptionPauseHistory",
    "SubscriptionPhase",
    "SubscriptionPhaseHistory",
    "TaxRate",
    "WhatIf",
    "WhatIfDifference",
]
