"""What was handed out for which month."""

from __future__ import annotations

from django.db import models


class Export(models.Model):
    """One run of a month's export: who, when, and the manifest of its files."""

    month = models.DateField(help_text="its first day")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200, blank=True)
    folder = models.TextField()
    manifest = models.JSONField(help_text="[{file, rows, bytes, sha256}], totals by currency")

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
