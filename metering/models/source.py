"""Who sends events: holders of API keys and signed webhooks."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class ApiKey(models.Model):
    """A credential of the API. Only its keyed hash is stored; the key itself is shown once, when made.

    A key reads ``mb_<prefix>_<secret>``: the prefix finds the row, the hash of the whole proves it.
    """

    class Scope(models.TextChoices):
        INGEST = "ingest", "Send events"
        READ = "read", "Read usage and invoices"
        MANAGE = "manage", "Change meters, plans and customers"

    name = models.CharField(max_length=200)
    prefix = models.CharField(max_length=16, unique=True)
    key_hash = models.BinaryField(max_length=32, help_text="HMAC-SHA256 of the key under the server's pepper")
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="to the minute")
    events_per_second_max = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="in each web process; a request counts as one at least; empty: no limit",
    )

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(condition=Q(events_per_second_max__gte=1), name="api_key_may_send_at_all"),
        ]

    def __str__(self) -> str:
        return f"{self.name} (mb_{self.prefix}_…)"


class WebhookSource(models.Model):
    """A sender that signs its deliveries (Standard Webhooks) to ``/webhooks/metering/<name>``."""

    class Adapter(models.TextChoices):
        CLOUDEVENTS = "cloudevents", "CloudEvents"
        LITELLM = "litellm", "LiteLLM"
        LAGO = "lago", "Lago"

    name = models.SlugField(max_length=100, unique=True)
    adapter = models.CharField(max_length=20, choices=Adapter.choices)
    secret = models.CharField(max_length=200, help_text="whsec_…, never shown after it was made")
    previous_secret = models.CharField(
        max_length=200, blank=True, help_text="still accepted while a new one is rolled out"
    )
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
