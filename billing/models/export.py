"""What was handed out for which month."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Export(models.Model):
    """One export of a month: who asked for it and when, how far it is, and the manifest of its files.

    ``folder``: where its files lie, a folder or, where files are stored elsewhere, their address; ``prefix``:
    what their names in that storage begin with, empty for a folder. ``formats``: names, none for all.
    ``done`` of ``expected`` invoices and credit notes are written.
    """

    class State(models.TextChoices):
        PENDING = "PENDING", "Waiting for a worker"
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"

    month = models.DateField(help_text="its first day")
    made_at = models.DateTimeField(help_text="when it was asked for")
    made_by = models.CharField(max_length=200, blank=True)
    formats = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    done = models.PositiveIntegerField(default=0)
    expected = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    failed_reason = models.TextField(blank=True)
    folder = models.TextField()
    prefix = models.TextField(blank=True)
    manifest = models.JSONField(default=dict, help_text="[{file, rows, bytes, sha256}], totals by currency")

    class Meta:
        indexes = [
            # read by the tick, which takes up exports that no worker works on
            models.Index(
                fields=["id"], name="export_unfinished", condition=Q(state__in=["PENDING", "RUNNING"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def files(self) -> list[dict[str, object]]:
        """The manifest's files; none before the export is done."""
        found: list[dict[str, object]] = self.manifest.get("files", [])
        return found
