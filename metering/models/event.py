"""What happened: events, the batches they came in, and what was turned away."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from metering.models.source import ApiKey, WebhookSource


class EventBatch(models.Model):
    """The events that one sender had committed together: the unit of work of the roll-up, and of audit.

    ``requests`` lists the requests in it in order: ``{"sha256", "events", "offset"}``, the hash being that of
    the decompressed body. The batch is pending while ``rolled_epoch`` is null.
    """

    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT, related_name="batches")
    webhook_source = models.ForeignKey(
        WebhookSource, null=True, on_delete=models.PROTECT, related_name="batches"
    )
    received_at = models.DateTimeField()
    accepted = models.IntegerField()
    duplicates = models.IntegerField()
    rejected = models.IntegerField()
    requests = models.JSONField()
    # The bounds of the accepted events' times (both inclusive): they name the partitions to look into.
    time_min = models.DateTimeField(null=True)
    time_max = models.DateTimeField(null=True)
    rolled_epoch = models.BigIntegerField(null=True, blank=True)
    rolled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.IntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "event batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(api_key__isnull=True) ^ Q(webhook_source__isnull=True),
                name="event_batch_has_one_sender",
            ),
        ]
        indexes = [
            # read by the roll-up's claim
            models.Index(fields=["id"], name="event_batch_pending", condition=Q(rolled_epoch__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"

    @property
    def is_pending(self) -> bool:
        return self.rolled_epoch is None


class EventKey(models.Model):
    """The identity of every event ever accepted: this is what makes "once" mean once for ever.

    ``key`` and ``content`` are the first 16 bytes of SHA-256 values, see `metering.ingesting`. The table is
    partitioned by hash of the key, not by time: a retry with a changed time cannot slip in.
    """

    key = models.UUIDField(primary_key=True)
    content = models.UUIDField()
    time = models.DateTimeField(help_text="of the stored event: names its partition")
    batch_id = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.key)


class Event(models.Model):
    """A usage event as accepted. Append-only (the database refuses UPDATE and DELETE), partitioned by month.

    The names are those of CloudEvents; ``event_id`` is its ``id``. ``batch_id`` has no foreign key: the
    batch's row is written in the same transaction, and a check per event would cost a fifth of the insert.
    """

    pk = models.CompositePrimaryKey("time", "key")
    key = models.UUIDField()
    time = models.DateTimeField()
    batch_id = models.BigIntegerField()
    source = models.TextField()
    event_id = models.TextField()
    type = models.TextField()
    subject = models.TextField()
    data = models.JSONField()
    extensions = models.JSONField(null=True)

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class RejectedEvent(models.Model):
    """An event that was turned away, kept with its reason; it is never deleted.

    A sender that repeats the same bad event raises ``count`` instead of adding rows. It took no `EventKey`.
    Somebody mends and replays it, or discards it: then ``state`` says which, and it stays what it was.
    """

    class Code(models.TextChoices):
        INVALID = "invalid", "Invalid"
        CONFLICT = "conflict", "Same id, other content"
        UNMETERABLE = "unmeterable", "No meter can use it"
        TOO_LARGE = "too_large", "Too large"
        TIME = "time", "Time out of bounds"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        REPLAYED = "replayed", "Replayed"
        DISCARDED = "discarded", "Discarded"

    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT)
    webhook_source = models.ForeignKey(WebhookSource, null=True, on_delete=models.PROTECT)
    batch = models.ForeignKey(EventBatch, on_delete=models.PROTECT, help_text="the first that brought it")
    key = models.UUIDField(help_text="of source and id, or of the body where it has none")
    content = models.UUIDField()
    code = models.CharField(max_length=20, choices=Code.choices)
    message = models.TextField()
    body = models.TextField(help_text="JSON text as received, prompts dropped, cut at 64 KB")
    count = models.BigIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    # The door writes rows without naming these columns.
    type = models.TextField(db_default="", help_text="of the event, empty where it could not be read")
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.OPEN)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.TextField(db_default="", help_text="the name of the user")
    replayed_in = models.ForeignKey(
        EventBatch, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "content", "code"], name="rejected_event_is_counted_not_piled_up"
            ),
            models.CheckConstraint(
                condition=Q(state="open", settled_at=None, settled_by="")
                | Q(state__in=["replayed", "discarded"], settled_at__isnull=False),
                name="rejected_event_is_settled_at_an_instant",
            ),
            models.CheckConstraint(
                condition=Q(replayed_in=None) | Q(state="replayed"),
                name="rejected_event_is_replayed_into_a_batch",
            ),
        ]
        indexes = [
            # read by the quarantine's pages, newest first
            models.Index(fields=["state", "-last_at", "-id"], name="rejected_event_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
