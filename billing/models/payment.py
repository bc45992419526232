"""What came in for an invoice."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from billing.models.invoice import Invoice
from metering.models.fields import ExactDecimalField


class Payment(models.Model):
    """Money for an invoice, in its currency. A fact: the database refuses to change or delete it.

    A negative amount is money that went back: a refund, a returned debit, or a payment recorded by mistake.
    ``reference``: the bank's or the payer's words for it.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    amount = ExactDecimalField()
    received_at = models.DateTimeField()
    reference = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=200, help_text="the user or the API key")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount=Decimal(0)), name="payment_has_an_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice}: {self.amount:f}"
