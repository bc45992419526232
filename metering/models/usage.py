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

    ``quantity``: COUNT and UNIQUE the number of events, SUM and AVERAGE the sum of values, MAX, MIN and
    LATEST the value, DURATION the exact integral in value x microseconds (divided by the meter's ``per`` only
    when rated). ``count``: events counted in it.

    The table has one more column, of a type of the database's own: ``latest``, the value of the last event
    with its place in the order of events, for LATEST and for MAX that carries over.
    """

    pk = models.CompositePrimaryKey("series", "start")
    # No constraint: checking each bucket would cost a quarter of the roll-up, which writes the series itself.
    series = models.ForeignKey(
        UsageSeries, on_delete=models.PROTECT, related_name="buckets", db_constraint=False
    )
    start = models.DateTimeField()
    quantity = ExactDecimalField()
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.series} {self.start:%Y-%m-%d %H:%M}: {self.quantity}"


class UsageValue(models.Model):
    """A text that a UNIQUE meter met in the 15 minutes from ``start``, and in how many events.

    The counts let it be merged and taken back exactly.
    """

    pk = models.CompositePrimaryKey("series", "start", "value")
    series = models.ForeignKey(
        UsageSeries, on_delete=models.PROTECT, related_name="unique_values", db_constraint=False
    )
    start = models.DateTimeField()
    value = models.UUIDField(help_text="md5 of the text")
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.series} {self.start:%Y-%m-%d %H:%M}: {self.value}"


class UsageInterval(models.Model):
    """An interval of a DURATION meter as it was, for periods that cut through a quarter hour.

    ``weight``: the value that its microseconds are multiplied with. ``excess``: value x microseconds that
    ``minimum`` and ``increment`` added, falling at ``counted_at`` (the last microsecond, or the start of an
    empty interval), where the event is also counted once.
    """

    pk = models.CompositePrimaryKey("series", "key")
    series = models.ForeignKey(
        UsageSeries, on_delete=models.PROTECT, related_name="intervals", db_constraint=False
    )
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
    """A stored event that matches a meter which cannot use it: shown as unbilled, never silently free.

    ``is_set_aside``: the meter could use it, but rolling it up failed time and again.
    """

    meter_version = models.ForeignKey(MeterVersion, on_delete=models.PROTECT, related_name="uncounted")
    key = models.UUIDField()
    time = models.DateTimeField()
    subject = models.TextField()
    reason = models.TextField()
    # The roll-up writes rows without naming this column.
    is_set_aside = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter_version", "key"], name="uncounted_event_is_listed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.meter_version}: {self.reason}"
