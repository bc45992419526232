"""How events become quantities."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class Meter(models.Model):
    """A named measure of usage. Its definition stands in its versions."""

    slug = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.slug


class MeterVersion(models.Model):
    """One definition of a meter, never changed once it exists.

    ``epoch``: the value of the meter epoch that this version began; a batch with a lower ``rolled_epoch``
    was rolled up without it and is still to be counted by it.
    """

    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField(encoder=DjangoJSONEncoder)
    effective_at = models.DateTimeField(null=True, blank=True, help_text="empty: from the beginning of time")
    epoch = models.BigIntegerField()
    is_built = models.BooleanField(
        default=False, help_text="the events that were stored before it are counted, too"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter", "number"], name="meter_version_number_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.meter} v{self.number}"


class MeterEpoch(models.Model):
    """The one row (id 1) that orders new meter versions against running roll-ups.

    A roll-up holds it FOR SHARE until its commit, whoever creates a version locks it FOR UPDATE: so a batch
    is rolled up either with a version or before it, and which of the two is written on the batch.
    """

    epoch = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.epoch)
