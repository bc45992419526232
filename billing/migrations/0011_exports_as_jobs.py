"""An export is asked for, worked on and done, and its files may lie in a storage."""

from django.db import migrations, models


def mark_done(apps, schema_editor):
    """What was made so far was made at once."""
    apps.get_model("billing", "Export").objects.update(state="DONE", ended_at=models.F("made_at"))


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_guards_of_credit_notes_and_payments")]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("export", "formats", models.JSONField(blank=True, default=list)),
        migrations.AddField(
            "export",
            "state",
            models.CharField(
                choices=[
                    ("PENDING", "Waiting for a worker"),
                    ("RUNNING", "Running"),
                    ("DONE", "Done"),
                    ("FAILED", "Failed"),
                ],
                default="PENDING",
                max_length=10,
            ),
        ),
        migrations.AddField("export", "done", models.PositiveIntegerField(default=0)),
        migrations.AddField("export", "expected", models.PositiveIntegerField(default=0)),
        migrations.AddField("export", "ended_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("export", "failed_reason", models.TextField(blank=True)),
        migrations.AddField("export", "prefix", models.TextField(blank=True)),
        migrations.AlterField(
            "export", "made_at", models.DateTimeField(help_text="when it was asked for")
        ),
        migrations.AlterField(
            "export",
            "manifest",
            models.JSONField(default=dict, help_text="[{file, rows, bytes, sha256}], totals by currency"),
        ),
        migrations.RunPython(mark_done, migrations.RunPython.noop),
        migrations.AddIndex(
            "export",
            models.Index(
                condition=models.Q(("state__in", ["PENDING", "RUNNING"])),
                fields=["id"],
                name="export_unfinished",
            ),
        ),
    ]
