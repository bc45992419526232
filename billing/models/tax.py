"""Which taxes are due from whom."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from billing.models.customer import Customer
from metering.models.fields import ExactDecimalField


class TaxRate(models.Model):
    """A tax with a name, such as "VAT 19 %". ``percent``: of the amount before tax, from 0 to 100.

    What was finalized keeps the rate that it was finalized with, whatever happens to this row.
    """

    code = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100, help_text="as printed on invoices")
    percent = ExactDecimalField(help_text="of the amount before tax, such as 19 or 8.875")

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__gte=Decimal(0), percent__lte=Decimal(100)),
                name="tax_rate_is_from_0_to_100_percent",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CustomerTax(models.Model):
    """How a customer is taxed. A customer without this row pays no tax, and invoices say nothing about it."""

    class Treatment(models.TextChoices):
        TAXED = "TAXED", "Taxed at the rates below"
        EXEMPT = "EXEMPT", "Exempt"
        REVERSE_CHARGE = "REVERSE_CHARGE", "Reverse charge: the customer owes the tax"

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="tax")
    treatment = models.CharField(max_length=20, choices=Treatment.choices, default=Treatment.TAXED)
    rates = models.ManyToManyField(TaxRate, blank=True, related_name="customers")
    note = models.TextField(blank=True, help_text="printed beside the tax, such as the law for an exemption")

    class Meta:
        verbose_name_plural = "customer taxes"

    def __str__(self) -> str:
        return f"{self.customer}: {self.get_treatment_display()}"
