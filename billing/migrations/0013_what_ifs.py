"""Jobs that compare draft plans with the invoices of past months."""

import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.deletion
import metering.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("billing", "0012_history_of_changes")]

    operations = [
        migrations.CreateModel(
            name='WhatIf',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('documents', models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='plan documents')),
                ('start_at', models.DateTimeField(help_text='service periods that began in [start, end)')),
                ('end_at', models.DateTimeField()),
                ('customer', models.CharField(blank=True, help_text='key; empty: all customers', max_length=100)),
                ('is_move', models.BooleanField(default=False, help_text='the plan takes the place of every other plan')),
                ('state', models.CharField(choices=[('QUEUED', 'Queued'), ('RUNNING', 'Running'), ('DONE', 'Done'), ('CANCELLED', 'Cancelled'), ('FAILED', 'Failed')], default='QUEUED', max_length=10)),
                ('done', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
                ('requested_at', models.DateTimeField()),
                ('requested_by', models.CharField(blank=True, max_length=200)),
                ('advanced_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('failure', models.TextField(blank=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['QUEUED', 'RUNNING'])), fields=['id'], name='what_if_open')],
            },
        ),
        migrations.CreateModel(
            name='WhatIfDifference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('customer', models.CharField(max_length=100)),
                ('subscription', models.CharField(max_length=100)),
                ('invoices', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('start_at', models.DateTimeField()),
                ('end_at', models.DateTimeField()),
                ('plan', models.CharField(blank=True, max_length=100)),
                ('currency', models.CharField(max_length=3)),
                ('old', metering.models.fields.ExactDecimalField()),
                ('new', metering.models.fields.ExactDecimalField(blank=True, null=True)),
                ('difference', metering.models.fields.ExactDecimalField(blank=True, null=True)),
                ('is_reproduced', models.BooleanField()),
                ('note', models.TextField(blank=True)),
                ('read_anew', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), default=list, size=None)),
                ('components', models.JSONField(default=list, help_text='[[code, old, new]] of the amounts that differ')),
                ('what_if', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='differences', to='billing.whatif')),
            ],
            options={
                'ordering': ['what_if_id', 'position'],
                'constraints': [models.UniqueConstraint(fields=('what_if', 'position'), name='what_if_difference_order')],
            },
        ),
    ]
