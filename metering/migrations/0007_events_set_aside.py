"""Events that failed to be rolled up time and again are listed as uncounted, and known as such."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metering", "0006_usage_without_checks_of_series")]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("uncountedevent", "is_set_aside", models.BooleanField(db_default=False)),
    ]
