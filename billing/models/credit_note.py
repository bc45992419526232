"""What was given back of an invoice. Frozen from the moment that it is written."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from billing.models.customer import Customer
from billing.models.invoice import Invoice, InvoiceLine, ServicePeriod
from metering.models.fields import ExactDecimalField


class CreditNote(models.Model):
    """A document that gives back a part of a finalized invoice, or all of it, with the tax on that part.

    Amounts are positive. All credit notes of an invoice together are never more than its total. ``seller``
    and ``buyer`` are those of the invoice.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="credit_notes")
    number = models.CharField(max_length=40, unique=True)
    issued_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    subtotal = ExactDecimalField()
    taxes = models.JSONField(default=list, help_text="[{name, percent, base, amount, note}]")
    tax_total = ExactDecimalField()
    total = ExactDecimalField()
    reason = models.TextField()
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(subtotal__gte=Decimal(0), tax_total__gte=Decimal(0))
                & Q(total=F("subtotal") + F("tax_total")),
                name="credit_note_gives_back_what_it_adds_up_to",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class CreditNoteLine(models.Model):
    """One amount of a credit note, before tax: positive where it gives back.

    ``service_period``: the usage of this period turned out to be less than was billed, and the line takes
    that back; it counts as not billed from then on. Empty on what a person decided to give: that stays given
    when the period is rated again. ``invoice_line``: the line that a person gave back. Kind
    ``plan_discount``: what is taken back of a plan's discount, by its place in the plan, with a negative
    amount.
    """

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    service_period = models.ForeignKey(
        ServicePeriod, null=True, blank=True, on_delete=models.PROTECT, related_name="credit_note_lines"
    )
    invoice_line = models.ForeignKey(
        InvoiceLine, null=True, blank=True, on_delete=models.PROTECT, related_name="credit_note_lines"
    )
    kind = models.CharField(max_length=20)
    component = models.CharField(max_length=200, null=True, blank=True)
    group = models.CharField(max_length=200, null=True, blank=True)
    dimensions = models.JSONField(default=dict)
    name = models.CharField(max_length=300)
    amount = ExactDecimalField()
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["credit_note_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "position"], name="credit_note_line_order"),
        ]

    def __str__(self) -> str:
        return self.name
