"""What an invoice run has done so far, and what it could not do."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from billing.models.customer import Customer
from billing.models.invoice import Invoice


class InvoiceRun(models.Model):
    """One run over everything that was due at ``as_of``. Workers share it and count here what they did.

    ``due``: how many customers had something due when it started. The other counts are of invoices: those
    ``finalized``, those newly ``drafted`` that wait for their grace period, and those ``blocked``; ``failed``
    counts customers. ``stopped_reason``: why it ended before everything was tried.
    """

    class State(models.TextChoices):
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"
        STOPPED = "STOPPED", "Stopped"

    as_of = models.DateTimeField()
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    stopped_reason = models.TextField(blank=True)
    due = models.PositiveIntegerField(default=0)
    finalized = models.PositiveIntegerField(default=0)
    drafted = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(as_of__lte=F("started_at")), name="invoice_run_is_not_for_the_future"
            ),
        ]
        indexes = [
            # read by the tick, which goes on with a run that was left behind
            models.Index(fields=["id"], name="invoice_run_running", condition=Q(state="RUNNING")),
        ]

    def __str__(self) -> str:
        return f"invoice run {self.pk} as of {self.as_of:%Y-%m-%d %H:%M} UTC"


class InvoiceRunFailure(models.Model):
    """Something that a run tried and left: a customer whose billing failed, or a draft that is blocked.

    ``invoice``: the blocked draft, null for a failure. ``what``: whom or what a person would look for. The
    run does not try it again, unless this row is taken away; the next run does.
    """

    run = models.ForeignKey(InvoiceRun, on_delete=models.CASCADE, related_name="failures")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=200)
    reason = models.TextField()
    failed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "customer", "invoice"],
                name="invoice_run_notes_a_failure_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            # read by the tick, which gives a failure some time before it is tried again
            models.Index(fields=["customer", "failed_at"], name="invoice_run_failure_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.reason}"
