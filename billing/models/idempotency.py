"""Requests of the API that had their effect, by the key that their sender gave them."""

from __future__ import annotations

from django.db import models

from metering.models import ApiKey


class IdempotencyRecord(models.Model):
    """The answer to a request with an ``Idempotency-Key``, written in the transaction of its effect.

    Kept for ever: the same request of the same API key has no second effect, however late it comes.
    ``answer`` is the body as it was sent. The database refuses to change or delete it.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="idempotency_records")
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=10)
    path = models.TextField(help_text="with what stands behind the question mark")
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    location = models.TextField(blank=True, help_text="the header Location, where the answer had one")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["api_key", "key"], name="idempotency_key_is_used_once_by_an_api_key"
            ),
        ]

    def __str__(self) -> str:
        return self.key
