"""Taxes of customers, credit notes with a number series of their own, payments, and what reconciling found."""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import metering.models.fields
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0008_invoice_runs'),
    ]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='CreditNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40, unique=True)),
                ('issued_at', models.DateTimeField()),
                ('currency', models.CharField(max_length=3)),
                ('subtotal', metering.models.fields.ExactDecimalField()),
                ('taxes', models.JSONField(default=list, help_text='[{name, percent, base, amount, note}]')),
                ('tax_total', metering.models.fields.ExactDecimalField()),
                ('total', metering.models.fields.ExactDecimalField()),
                ('reason', models.TextField()),
                ('seller', models.JSONField(default=dict)),
                ('buyer', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='CreditNoteLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('kind', models.CharField(max_length=20)),
                ('component', models.CharField(blank=True, max_length=200, null=True)),
                ('group', models.CharField(blank=True, max_length=200, null=True)),
                ('dimensions', models.JSONField(default=dict)),
                ('name', models.CharField(max_length=300)),
                ('amount', metering.models.fields.ExactDecimalField()),
                ('note', models.TextField(blank=True)),
            ],
            options={
                'ordering': ['credit_note_id', 'position'],
            },
        ),
        migrations.CreateModel(
            name='CustomerTax',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('treatment', models.CharField(choices=[('TAXED', 'Taxed at the rates below'), ('EXEMPT', 'Exempt'), ('REVERSE_CHARGE', 'Reverse charge: the customer owes the tax')], default='TAXED', max_length=20)),
                ('note', models.TextField(blank=True, help_text='printed beside the tax, such as the law for an exemption')),
            ],
            options={
                'verbose_name_plural': 'customer taxes',
            },
        ),
        migrations.CreateModel(
            name='Recheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('validity', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ('reason', models.TextField()),
                ('failure', models.TextField(blank=True, db_default='')),
            ],
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', metering.models.fields.ExactDecimalField()),
                ('received_at', models.DateTimeField()),
                ('reference', models.CharField(blank=True, max_length=200)),
                ('recorded_at', models.DateTimeField()),
                ('recorded_by', models.CharField(help_text='the user or the API key', max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('difference_count', models.PositiveIntegerField(default=0)),
                ('differences', models.JSONField(default=list)),
                ('failure', models.TextField(blank=True)),
            ],
            options={
                'ordering': ['-started_at'],
                'get_latest_by': 'started_at',
            },
        ),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(unique=True)),
                ('name', models.CharField(help_text='as printed on invoices', max_length=100)),
                ('percent', metering.models.fields.ExactDecimalField(help_text='of the amount before tax, such as 19 or 8.875')),
            ],
            options={
                'ordering': ['code'],
            },
        ),
        migrations.AddField(
            model_name='seller',
            name='credit_note_number_last',
            field=models.BigIntegerField(default=0, help_text='the last number given out'),
        ),
        migrations.AddField(
            model_name='seller',
            name='credit_note_prefix',
            field=models.CharField(default='CN-', max_length=20),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='adjusts',
            field=models.CharField(blank=True, default='', help_text='of an adjustment: the kind of the line that it changes', max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='creditnote',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='creditnote',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='creditnoteline',
            name='credit_note',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='billing.creditnote'),
        ),
        migrations.AddField(
            model_name='creditnoteline',
            name='invoice_line',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_note_lines', to='billing.invoiceline'),
        ),
        migrations.AddField(
            model_name='creditnoteline',
            name='service_period',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_note_lines', to='billing.serviceperiod'),
        ),
        migrations.AddField(
            model_name='customertax',
            name='customer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='tax', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='recheck',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rechecks', to='billing.customer'),
        ),
        migrations.AddField(
            model_name='payment',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='billing.invoice'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('percent__gte', Decimal('0')), ('percent__lte', Decimal('100'))), name='tax_rate_is_from_0_to_100_percent'),
        ),
        migrations.AddField(
            model_name='customertax',
            name='rates',
            field=models.ManyToManyField(blank=True, related_name='customers', to='billing.taxrate'),
        ),
        migrations.AddConstraint(
            model_name='creditnote',
            constraint=models.CheckConstraint(condition=models.Q(('subtotal__gte', Decimal('0')), ('tax_total__gte', Decimal('0')), ('total', django.db.models.expressions.CombinedExpression(models.F('subtotal'), '+', models.F('tax_total')))), name='credit_note_gives_back_what_it_adds_up_to'),
        ),
        migrations.AddConstraint(
            model_name='creditnoteline',
            constraint=models.UniqueConstraint(fields=('credit_note', 'position'), name='credit_note_line_order'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount', Decimal('0')), _negated=True), name='payment_has_an_amount'),
        ),
    ]
