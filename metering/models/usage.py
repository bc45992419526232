"""What the roll-up keeps: quantities by series and quarter hour. All of it can be rebuilt from the events."""

from __future__ import annotations

from django.db import models

from metering.models.fields import ExactDecimalField
from metering.models.meter import MeterVersion


class UsageSeries(models.Model):
    """One meter version, one subject, one combination of values of all its dimensions, as text."""

    meter_version = models.ForeignKey(MeterVersion, on_delete=models.PROTECT, related_name="series")
    subject = models.TextField()
    dimensions = models.JSONField()
    dimensions_hash = models.UUIDField(help_text="md5 of the jsonb's text: a key of bounded length")

    class Meta:
        verbose_name_plural = "usage series"
        constraints = [
            models.UniqueConstraint(
                fields=["meter_version", "subject", "dimensions_hash"], name="usage_series_is_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter_version} {self.subject} {self.dimensions}"


class UsageBucket(models.Model):
    """What a series added up to in the 15 minutes from ``start``.

    ``quantity``: COUNT the number of events, SUM the sum of values, DURATION the exact integral in value x
    microseconds (divided by the meter's ``per`` only when rated). ``count``: events counted in it.
    """

    pk = models.CompositePrimaryKey("series", "start")
    series = models.ForeignKey(UsageSeries, on_delete=models.PROTECT, related_name="buckets")
    start = models.DateTimeField()
    quantity = ExactDecimalField()
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.series} {self.start:%Y-%m-%d %H:%M}: {self.quantity}"


class UsageInterval(models.Model):
    """An interval of a DURATION meter as it was, for periods that cut through a quarter hour.

    ``weight``: the value that its microseconds are multiplied with. ``excess``: value x microseconds that
    ``minimum`` and ``increment`` added, falling at ``counted_at`` (the last microsecond, or the start of an
    empty interval), where the event is also counted once.
    """

    pk = models.CompositePrimaryKey("series", "key")
    series = models.ForeignKey(UsageSeries, on_delete=models.PROTECT, related_name="intervals")
    key = models.UUIDField(help_text="of the event")
    start = models.DateTimeField()
    end = models.DateTimeField()
    counted_at = models.DateTimeField()
    weight = ExactDecimalField()
    excess = ExactDecimalField()

    class Meta:
        # read by the usage door for the two edges of a period
        indexes = [models.Index(fields=["series", "end"], name="usage_interval_by_end")]

    def __str__(self) -> str:
        return f"{self.series} {self.start} to {self.end}"


class UsageRevision(models.Model):
    """A counter that every roll-up raises for what it changed: how finalized invoices learn of late events.

    ``month``: the first day of the UTC month of the changed usage.
    """

    pk = models.CompositePrimaryKey("meter_version", "subject", "month")
    meter_version = models.ForeignKey(MeterVersion, on_delete=models.PROTECT, related_name="revisions")
    subject = models.TextField()
    month = models.DateField()
    revision = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.meter_version} {self.subject} {self.month}: {self.revision}"


class UncountedEvent(models.Model):
    """A stored event that matches a meter which cannot use it: shown as unbilled, never silently free."""

    meter_version = models.ForeignKey(MeterVersion, on_delete=models.PROTECT, related_name="uncounted")
    key = models.UUIDField()
    time = models.DateTimeField()
    subject = models.TextField()
    reason = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter_version", "key"], name="uncounted_event_is_listed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.meter_version}: {self.reason}"
