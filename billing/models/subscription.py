"""Which customer is on which plan, from when to when."""

from __future__ import annotations

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Q

from billing.models.catalog import Plan
from billing.models.customer import Customer


class Subscription(models.Model):
    """A customer's contract. What it is on at an instant stands in its phases, its periods in its cycles.

    ``anchor_date`` and ``timezone`` are those of its latest cycle, which may begin with the next period.
    Until ``trial_end_at``, if it has one, usage is free and fees are not due. ``next_billing_at``: the end of
    the first billing period that is not invoiced yet. ``next_advance_at``: the start of the first piece of a
    period whose fees in advance have not been looked at yet. Both are null when nothing of the kind will be
    due any more.
    """

    key = models.CharField(max_length=100, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    anchor_date = models.DateField()
    timezone = models.CharField(max_length=64)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField(null=True, blank=True)
    trial_end_at = models.DateTimeField(null=True, blank=True)
    next_billing_at = models.DateTimeField(null=True, blank=True)
    next_advance_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(end_at__isnull=True) | Q(end_at__gt=models.F("start_at")),
                name="subscription_ends_after_its_start",
            ),
            models.CheckConstraint(
                condition=Q(trial_end_at__isnull=True) | Q(trial_end_at__gt=models.F("start_at")),
                name="trial_ends_after_its_start",
            ),
        ]
        indexes = [
            # read by the invoice run
            models.Index(
                fields=["next_billing_at"],
                name="subscription_due",
                condition=Q(next_billing_at__isnull=False),
            ),
            models.Index(
                fields=["next_advance_at"],
                name="subscription_due_in_advance",
                condition=Q(next_advance_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.key


class SubscriptionPhase(models.Model):
    """A stretch of a subscription on one plan with one set of overrides. Phases do not overlap.

    A phase goes on under a pause. ``overrides``: by component code, see the plan reference.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="phases")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="phases")
    validity = DateTimeRangeField()
    overrides = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.subscription} on {self.plan}"


class SubscriptionCycle(models.Model):
    """How the billing periods of a subscription are counted from ``start_at`` until its next cycle begins.

    They are [midnight of anchor + n intervals, the next one) in ``timezone``, cut where the cycle begins and
    ends. Rows that bound an invoiced period are never changed, so that its bounds stay what they were.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="cycles")
    start_at = models.DateTimeField()
    anchor_date = models.DateField()
    timezone = models.CharField(max_length=64)
    interval = models.CharField(max_length=10, choices=Plan.Interval.choices)
    interval_count = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["subscription_id", "start_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "start_at"], name="cycles_of_a_subscription_start_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} from {self.start_at:%Y-%m-%d}"


class SubscriptionPause(models.Model):
    """A stretch in which a subscription rests: no fees are due, and usage in it is not billed.

    Without an end until somebody resumes it. Pauses of a subscription do not overlap; the constraint
    `pauses_of_a_subscription_do_not_overlap` is written in SQL in the migration.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="pauses")
    validity = DateTimeRangeField()

    def __str__(self) -> str:
        return f"pause of {self.subscription}"
