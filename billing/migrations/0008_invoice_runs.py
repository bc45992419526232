"""An invoice run has a row that its workers share, and what it could not do has rows of its own."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

WAITING_DRAFTS = """
update billing_invoice set finalize_at = drafted_at where state = 'DRAFT' and finalize_at is null
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0007_grace_and_tax_of_invoices'),
    ]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='InvoiceRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('as_of', models.DateTimeField()),
                ('started_at', models.DateTimeField()),
                ('started_by', models.CharField(blank=True, max_length=200)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('state', models.CharField(choices=[('RUNNING', 'Running'), ('DONE', 'Done'), ('STOPPED', 'Stopped')], default='RUNNING', max_length=10)),
                ('stopped_reason', models.TextField(blank=True)),
                ('due', models.PositiveIntegerField(default=0)),
                ('finalized', models.PositiveIntegerField(default=0)),
                ('drafted', models.PositiveIntegerField(default=0)),
                ('blocked', models.PositiveIntegerField(default=0)),
                ('failed', models.PositiveIntegerField(default=0)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(condition=Q(state='RUNNING'), fields=['id'], name='invoice_run_running')],
                'constraints': [
                    models.CheckConstraint(condition=Q(as_of__lte=F('started_at')), name='invoice_run_is_not_for_the_future'),
                ],
            },
        ),
        migrations.CreateModel(
            name='InvoiceRunFailure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(max_length=200)),
                ('reason', models.TextField()),
                ('failed_at', models.DateTimeField()),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.customer')),
                ('invoice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='billing.invoice')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='failures', to='billing.invoicerun')),
            ],
            options={
                'ordering': ['id'],
                'indexes': [models.Index(fields=['customer', 'failed_at'], name='invoice_run_failure_recent')],
                'constraints': [
                    models.UniqueConstraint(fields=('run', 'customer', 'invoice'), name='invoice_run_notes_a_failure_once', nulls_distinct=False),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(
                condition=Q(total=F('subtotal') - F('discount_total') + F('tax_total')), name='invoice_total_adds_up'
            ),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(
                condition=~Q(state='VOID'), fields=('replaces',), name='invoice_is_replaced_once'
            ),
        ),
        migrations.AddIndex(
            model_name='invoice',
            # read by the invoice run: the drafts whose grace has ended
            index=models.Index(condition=Q(state='DRAFT'), fields=['finalize_at'], name='invoice_draft_due'),
        ),
        migrations.RunSQL(WAITING_DRAFTS, migrations.RunSQL.noop),
    ]
