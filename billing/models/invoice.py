"""What was charged. Frozen once finalized: the database refuses to change a finalized row's content."""

from __future__ import annotations

from decimal import Decimal

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from billing.models.customer import Customer
from billing.models.subscription import Subscription
from metering.models.fields import ExactDecimalField


class Invoice(models.Model):
    """A document to one customer in one currency. Amounts are rounded to the currency's digits.

    ``subtotal`` is the sum of its lines, ``total`` the subtotal less ``discount_total`` plus ``tax_total``.
    The ``buyer`` and ``seller`` are kept as they were when it was finalized; later moves do not change a
    printed invoice. A draft follows live usage until ``finalize_at``.
    """

    class State(models.TextChoices):
        DRAFT = "DRAFT", "Draft"
        FINALIZED = "FINALIZED", "Finalized"
        PAID = "PAID", "Paid"
        VOID = "VOID", "Void"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    number = models.CharField(max_length=40, unique=True, null=True, blank=True, help_text="drafts have none")
    currency = models.CharField(max_length=3)
    subtotal = ExactDecimalField()
    discount_total = ExactDecimalField()
    tax_total = ExactDecimalField(default=Decimal(0))
    taxes = models.JSONField(
        default=list, encoder=DjangoJSONEncoder, help_text="[{name, percent, base, amount, note}]"
    )
    total = ExactDecimalField()
    drafted_at = models.DateTimeField()
    finalize_at = models.DateTimeField(null=True, blank=True, help_text="when a draft's grace ends")
    finalized_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    seller = models.JSONField(default=dict, help_text="name, legal name, tax id, address, ... as printed")
    buyer = models.JSONField(default=dict, help_text="likewise")
    replaces = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replacements",
        help_text="the void invoice that this one was made in place of",
    )
    blocked_reason = models.TextField(blank=True, help_text="why this draft cannot be finalized yet")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="DRAFT", number__isnull=True) | ~Q(state="DRAFT") & Q(number__isnull=False),
                name="invoice_has_a_number_once_finalized",
            ),
            models.CheckConstraint(
                condition=Q(total=F("subtotal") - F("discount_total") + F("tax_total")),
                name="invoice_total_adds_up",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=~Q(state="VOID"), name="invoice_is_replaced_once"
            ),
        ]
        indexes = [
            # read by the invoice run, which tries drafts again
            models.Index(fields=["id"], name="invoice_draft", condition=Q(state="DRAFT")),
            models.Index(fields=["finalize_at"], name="invoice_draft_due", condition=Q(state="DRAFT")),
        ]

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"


class ServicePeriod(models.Model):
    """One subscription's period on an invoice, with everything needed to rate it again.

    ``rating_input``: the plan documents with overrides, meter versions, subject spans, usage rows and billed
    keys as canonical JSON (zlib); ``rating_sha256`` its hash before compression. ``revisions``: the usage
    counters at the time of reading. A period can be invoiced once per part and sequence unless void.
    """

    class Part(models.TextChoices):
        ADVANCE = "ADVANCE", "In advance"
        ARREARS = "ARREARS", "In arrears"

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="service_periods")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="service_periods")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    part = models.CharField(max_length=10, choices=Part.choices, default=Part.ARREARS)
    sequence = models.PositiveIntegerField(default=1)
    is_void = models.BooleanField(default=False)
    subtotal = ExactDecimalField()
    discounts = models.JSONField(default=list, help_text="[{name, percent, amount}] as taken")
    total = ExactDecimalField()
    unbilled = models.JSONField(default=list, help_text="usage of meters that the plan does not name")
    revisions = models.JSONField(default=dict)
    rating_input = models.BinaryField()
    rating_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "start_at", "part", "sequence"],
                condition=Q(is_void=False),
                name="service_period_is_invoiced_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} {self.start_at:%Y-%m-%d} to {self.end_at:%Y-%m-%d}"


class InvoiceLine(models.Model):
    """One explained amount: a line of a statement, in the statement's order.

    ``quantity`` and ``unrounded`` are texts as shown; where the decimal does not end, ``quantity_exact`` and
    ``unrounded_exact`` hold "p/q". ``steps`` lead from the quantity to the amount.
    """

    service_period = models.ForeignKey(ServicePeriod, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    adjusts = models.CharField(
        max_length=20, blank=True, help_text="of an adjustment: the kind of the line that it changes"
    )
    component = models.CharField(max_length=200, null=True, blank=True)
    group = models.CharField(max_length=200, null=True, blank=True)
    name = models.CharField(max_length=300)
    mode = models.CharField(max_length=10, null=True, blank=True)
    timing = models.CharField(max_length=10, null=True, blank=True)
    dimensions = models.JSONField(default=dict)
    quantity = models.TextField(null=True, blank=True)
    quantity_exact = models.TextField(null=True, blank=True)
    unit = models.CharField(max_length=100, blank=True)
    amount = ExactDecimalField()
    unrounded = models.TextField()
    unrounded_exact = models.TextField(null=True, blank=True)
    compute = ExactDecimalField(null=True, blank=True)
    storage = ExactDecimalField(null=True, blank=True)
    would_be = ExactDecimalField(null=True, blank=True)
    note = models.TextField(blank=True)
    steps = models.JSONField(default=list, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["service_period_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["service_period", "position"], name="invoice_line_order"),
        ]

    def __str__(self) -> str:
        return self.name
