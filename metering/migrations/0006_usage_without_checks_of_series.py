"""Buckets and intervals are no longer checked against their series one by one: the roll-up writes both at once."""

import django.db.models.deletion
from django.db import migrations, models


def unchecked(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        "metering.usageseries",
        db_constraint=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
    )


class Migration(migrations.Migration):
    dependencies = [("metering", "0005_quarantine_limits_and_search")]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AlterField("usagebucket", "series", unchecked("buckets")),
        migrations.AlterField("usageinterval", "series", unchecked("intervals")),
    ]
