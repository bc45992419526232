"""Comparisons of draft plans with invoices of the past, as jobs of a worker."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from metering.models.fields import ExactDecimalField


class WhatIf(models.Model):
    """A question that a worker answers: which plans, which months, whose invoices.

    ``done`` of ``total`` service periods are compared. ``advanced_at``: the last sign of the worker. Somebody
    cancels a job by setting CANCELLED; the worker sees it and stops.
    """

    class State(models.TextChoices):
        QUEUED = "QUEUED", "Queued"
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"
        CANCELLED = "CANCELLED", "Cancelled"
        FAILED = "FAILED", "Failed"

    documents = models.JSONField(encoder=DjangoJSONEncoder, help_text="plan documents")
    start_at = models.DateTimeField(help_text="service periods that began in [start, end)")
    end_at = models.DateTimeField()
    customer = models.CharField(max_length=100, blank=True, help_text="key; empty: all customers")
    is_move = models.BooleanField(default=False, help_text="the plan takes the place of every other plan")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=200, blank=True)
    advanced_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        indexes = [
            # read by the worker that looks for the next job
            models.Index(
                fields=["id"], name="what_if_open", condition=models.Q(state__in=["QUEUED", "RUNNING"])
            ),
        ]

    def __str__(self) -> str:
        return f"what-if {self.pk}"


class WhatIfDifference(models.Model):
    """One service period of the answer: see `billing.advising.what_if.Difference`."""

    what_if = models.ForeignKey(WhatIf, on_delete=models.CASCADE, related_name="differences")
    position = models.PositiveIntegerField()
    customer = models.CharField(max_length=100)
    subscription = models.CharField(max_length=100)
    invoices = ArrayField(models.CharField(max_length=40), default=list)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    plan = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3)
    old = ExactDecimalField()
    new = ExactDecimalField(null=True, blank=True)
    difference = ExactDecimalField(null=True, blank=True)
    is_reproduced = models.BooleanField()
    note = models.TextField(blank=True)
    read_anew = ArrayField(models.CharField(max_length=100), default=list)
    components = models.JSONField(default=list, help_text="[[code, old, new]] of the amounts that differ")

    class Meta:
        ordering = ["what_if_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["what_if", "position"], name="what_if_difference_order"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.difference}"
