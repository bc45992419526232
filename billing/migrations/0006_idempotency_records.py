"""The answers of requests that must not have their effect twice."""

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
create trigger idempotency_record_is_append_only before update or delete on billing_idempotencyrecord
    for each row execute function meterbook_refuse_change();
create trigger idempotency_record_is_not_truncated before truncate on billing_idempotencyrecord
    for each statement execute function meterbook_refuse_truncate();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_trials_pauses_and_cycles"), ("metering", "0002_guards")]
    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("method", models.CharField(max_length=10)),
                ("path", models.TextField(help_text="with what stands behind the question mark")),
                ("body_sha256", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("answer", models.TextField()),
                (
                    "location",
                    models.TextField(blank=True, help_text="the header Location, where the answer had one"),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "api_key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="idempotency_records",
                        to="metering.apikey",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="idempotencyrecord",
            constraint=models.UniqueConstraint(
                fields=("api_key", "key"), name="idempotency_key_is_used_once_by_an_api_key"
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
    ]
