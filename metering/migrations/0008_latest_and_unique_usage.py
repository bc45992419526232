"""What MAX, MIN, AVERAGE, LATEST and UNIQUE keep beside the sums: last events, and the hashes of texts."""

import django.db.models.deletion
from django.db import migrations, models

# A quantity with the place of its event in the order of all events, which is bytewise. `greatest` of two moments
# is the later one.
MOMENT = """
set local lock_timeout = '5s';
create type metering_moment as (at timestamptz, source text collate "C", event_id text collate "C", value numeric);
create function metering_later(metering_moment, metering_moment) returns metering_moment
language sql immutable parallel safe strict as 'select greatest($1, $2)';
create aggregate metering_latest (metering_moment) (
    sfunc = metering_later, stype = metering_moment, combinefunc = metering_later, parallel = safe
);
alter table metering_usagebucket add column latest metering_moment;
"""
NO_MOMENT = """
alter table metering_usagebucket drop column latest;
drop aggregate metering_latest (metering_moment);
drop function metering_later (metering_moment, metering_moment);
drop type metering_moment;
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0007_events_set_aside")]

    operations = [
        migrations.RunSQL(MOMENT, NO_MOMENT),
        migrations.CreateModel(
            name="UsageValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "series",
                        "start",
                        "value",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("start", models.DateTimeField()),
                ("value", models.UUIDField(help_text="md5 of the text")),
                ("count", models.BigIntegerField()),
                (
                    "series",
                    models.ForeignKey(
                        "metering.usageseries",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unique_values",
                    ),
                ),
            ],
        ),
    ]
