"""What became of a rejected event; the limit of a key; an index by which events are looked up."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

# Read by whoever looks for the events of a subject, or for one id, without saying when: GET /api/v1/events and
# the console. A B-tree on (subject, time) made the inserts a third slower. These filters cost them nothing that
# could be measured, for a block of pages is summed up once, later, by autovacuum, and take 1 % of the table's
# size. They tell which blocks cannot hold the text: few are left for a rare one, and a frequent one is found by
# walking the primary key.
SEARCH = """
set local lock_timeout = '5s';
create index if not exists metering_event_search on metering_event
    using brin (subject text_bloom_ops, event_id text_bloom_ops)
    with (pages_per_range = 32, autosummarize = on);
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0004_batches_by_rolled_epoch")]

    operations = [
        migrations.RunSQL(SEARCH, "drop index if exists metering_event_search"),
        migrations.AddField(
            "apikey",
            "events_per_second_max",
            models.PositiveIntegerField(
                blank=True,
                null=True,
                help_text="in each web process; a request counts as one at least; empty: no limit",
            ),
        ),
        migrations.AddConstraint(
            "apikey",
            models.CheckConstraint(condition=Q(events_per_second_max__gte=1), name="api_key_may_send_at_all"),
        ),
        migrations.AddField(
            "rejectedevent",
            "type",
            models.TextField(db_default="", help_text="of the event, empty where it could not be read"),
        ),
        migrations.AddField(
            "rejectedevent",
            "state",
            models.CharField(
                choices=[("open", "Open"), ("replayed", "Replayed"), ("discarded", "Discarded")],
                db_default="open",
                max_length=10,
            ),
        ),
        migrations.AddField("rejectedevent", "settled_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "rejectedevent", "settled_by", models.TextField(db_default="", help_text="the name of the user")
        ),
        migrations.AddField(
            "rejectedevent",
            "replayed_in",
            models.ForeignKey(
                blank=True,
                null=True,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="metering.eventbatch",
            ),
        ),
        migrations.AddConstraint(
            "rejectedevent",
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by="", state="open")
                | Q(settled_at__isnull=False, state__in=["replayed", "discarded"]),
                name="rejected_event_is_settled_at_an_instant",
            ),
        ),
        migrations.AddConstraint(
            "rejectedevent",
            models.CheckConstraint(
                condition=Q(replayed_in=None) | Q(state="replayed"),
                name="rejected_event_is_replayed_into_a_batch",
            ),
        ),
        migrations.AddIndex(
            "rejectedevent",
            models.Index(fields=["state", "-last_at", "-id"], name="rejected_event_by_state"),
        ),
    ]
