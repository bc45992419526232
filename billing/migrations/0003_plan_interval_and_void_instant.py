"""A plan names its billing interval, which no version may change; a void invoice says since when."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0002_guards'),
    ]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name='invoice',
            name='voided_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='interval',
            field=models.CharField(choices=[('DAY', 'Day'), ('WEEK', 'Week'), ('MONTH', 'Month'), ('QUARTER', 'Quarter'), ('YEAR', 'Year')], default='MONTH', max_length=10),
        ),
        migrations.AddField(
            model_name='plan',
            name='interval_count',
            field=models.PositiveIntegerField(default=1, help_text='intervals in one billing period'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(condition=models.Q(('state', 'DRAFT')), fields=['id'], name='invoice_draft'),
        ),
    ]
