"""What may have changed a period that is invoiced, and whether everything invoiced is still true."""

from __future__ import annotations

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models

from billing.models.customer import Customer


class Recheck(models.Model):
    """That invoiced periods of a customer may not be right any more: they are rated again, and this is
    deleted.

    Written by the database when somebody begins or ceases to pay for a subject, which no counter of usage
    shows, and by whoever takes back an invoice with corrections. ``failure``: why the periods could not be
    rated the last time, for a person to see; they are tried again and again.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="rechecks")
    validity = DateTimeRangeField()
    reason = models.TextField()
    failure = models.TextField(blank=True, db_default="")

    def __str__(self) -> str:
        return f"{self.customer}: {self.reason}"


class Reconciliation(models.Model):
    """A comparison of everything invoiced with its evidence and with usage, and what it found.

    ``differences``: the first ones, ``[{where, what}]``; ``difference_count``: how many there are.
    ``failure``: why it could not be finished. Without ``ended_at`` it is under way, or was interrupted.
    """

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    difference_count = models.PositiveIntegerField(default=0)
    differences = models.JSONField(default=list)
    failure = models.TextField(blank=True)

    class Meta:
        get_latest_by = "started_at"
        ordering = ["-started_at"]

    @property
    def is_alarming(self) -> bool:
        """Whether somebody must look at it."""
        return bool(self.difference_count or self.failure)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.difference_count} differences"
