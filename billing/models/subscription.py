"""Which customer is on which plan, from when to when."""

from __future__ import annotations

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q

from billing.models.catalog import Plan
from billing.models.customer import Customer


class Subscription(models.Model):
    """A customer's contract. What it is on at an instant stands in its phases.

    ``anchor_date``: its billing periods are [midnight of anchor + n intervals, the next one) in ``timezone``,
    cut to [start_at, end_at). ``next_billing_at``: the end of the first period that is not invoiced yet; null
    when nothing will be due any more.
    """

    key = models.CharField(max_length=100, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    anchor_date = models.DateField()
    timezone = models.CharField(max_length=64)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True, blank=True)
    next_billing_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(end_at__isnull=True) | Q(end_at__gt=models.F("start_at")),
                name="subscription_ends_after_its_start",
            ),
        ]
        indexes = [
            # read by the invoice run
            models.Index(
                fields=["next_billing_at"],
                name="subscription_due",
                condition=Q(next_billing_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key


class SubscriptionPhase(models.Model):
    """A stretch of a subscription on one plan with one set of overrides. Phases do not overlap.

    ``overrides``: by component code, see the plan reference.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="phases")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="phases")
    validity = DateTimeRangeField()
    overrides = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.subscription} on {self.plan}"
