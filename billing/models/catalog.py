"""What is sold at which price, from when on."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Plan(models.Model):
    """A named offer. Here stands what is the same in all of its versions, which hold the prices."""

    class Interval(models.TextChoices):
        DAY = "DAY", "Day"
        WEEK = "WEEK", "Week"
        MONTH = "MONTH", "Month"
        QUARTER = "QUARTER", "Quarter"
        YEAR = "YEAR", "Year"

    code = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    interval = models.CharField(max_length=10, choices=Interval.choices, default=Interval.MONTH)
    interval_count = models.PositiveIntegerField(default=1, help_text="intervals in one billing period")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """A plan document as published. The database refuses to change or delete it.

    ``document`` is the document as it was written, ``effective_at`` null the beginning of time. Where it
    names market prices, ``resolved_document`` has fixed ones in their place, by which usage is rated, and
    ``price_sources`` says by component where they come from: {"name", "version", "at"}.
    """

    class Migration(models.TextChoices):
        AT_ONCE = "AT_ONCE", "Existing subscriptions move at once"
        NEXT_PERIOD = "NEXT_PERIOD", "Existing subscriptions move at their next period"
        NEVER = "NEVER", "Existing subscriptions keep their version"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField(encoder=DjangoJSONEncoder)
    resolved_document = models.JSONField(encoder=DjangoJSONEncoder, null=True, blank=True)
    price_sources = models.JSONField(encoder=DjangoJSONEncoder, null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True)
    migration = models.CharField(max_length=20, choices=Migration.choices, default=Migration.NEXT_PERIOD)
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["plan_id", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.plan.code} v{self.number}"
