"""Who sells, who buys, and who pays for which subject."""

from __future__ import annotations

import zoneinfo

from django.contrib.postgres.fields import DateTimeRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F


def check_timezone(name: str) -> None:
    """Raises ValidationError unless ``name`` is an IANA time zone that this system knows."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValidationError(f"{name!r} is no time zone; write for example Europe/Berlin") from error


class Seller(models.Model):
    """The one company (id 1) that this deployment bills for, and the counters of its document numbers."""

    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=300, blank=True)
    tax_id = models.CharField("tax id", max_length=50, blank=True)
    address = models.TextField(blank=True)
    email = models.EmailField(blank=True)
    payment_reference = models.TextField("payment details", blank=True, help_text="printed on invoices")
    due_days = models.PositiveIntegerField(default=30)
    grace_hours = models.PositiveIntegerField(
        default=0, help_text="for which drafts follow late usage before they are finalized"
    )
    invoice_prefix = models.CharField(max_length=20, default="INV-")
    invoice_number_last = models.BigIntegerField(default=0, help_text="the last number given out")
    credit_note_prefix = models.CharField(max_length=20, default="CN-")
    credit_note_number_last = models.BigIntegerField(default=0, help_text="the last number given out")

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """Somebody who is invoiced. ``key`` is the seller's own name for them in files and in the API.

    ``merged_into``: who has taken over everything of theirs; nothing new is agreed with them any more.
    """

    key = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=300, blank=True)
    tax_id = models.CharField("tax id", max_length=50, blank=True)
    address = models.TextField(blank=True)
    email = models.EmailField(blank=True)
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    timezone = models.CharField(max_length=64, default="UTC", validators=[check_timezone])
    locale = models.CharField(max_length=20, default="en")
    grace_hours = models.PositiveIntegerField(null=True, blank=True, help_text="empty: the seller's")
    due_days = models.PositiveIntegerField(null=True, blank=True, help_text="empty: the seller's")
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged_customers"
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class CustomerSubject(models.Model):
    """That a customer pays for a subject's usage during ``validity`` (half-open).

    At every instant a subject has at most one payer; the database says so. ``subscription``: which of the
    customer's subscriptions is charged; empty where the customer has only one that prices the meter.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subjects")
    subject = models.TextField()
    validity = DateTimeRangeField()
    subscription = models.ForeignKey(
        "billing.Subscription", null=True, blank=True, on_delete=models.PROTECT, related_name="subjects"
    )

    class Meta:
        # The exclusion constraint `one_payer_per_subject_and_instant` is written in SQL in the migration:
        # it needs a range type over text where PostgreSQL has no btree_gist.
        ordering = [F("subject"), F("validity")]

    def __str__(self) -> str:
        return self.subject
