"""Invoices wait for their grace period, bear taxes, and say which one they replace; customers may have an own
grace period and term of payment."""

from decimal import Decimal

import django.core.serializers.json
import django.db.models.deletion
from django.db import migrations, models

import metering.models.fields

# As before, with the columns that came; what a finalized invoice says is never changed.
FROZEN = """
create or replace function meterbook_freeze_invoice() returns trigger language plpgsql as $$
begin
    if old.state = 'DRAFT' then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    if tg_op = 'DELETE' then
        raise exception 'DELETE of invoice % refused: it is finalized', old.number
            using errcode = 'restrict_violation';
    end if;
    if new.state = 'DRAFT'
        or (old.state = 'VOID' and new.state <> 'VOID')
        or (old.customer_id, old.number, old.currency, old.subtotal, old.discount_total, old.total,
            old.tax_total, old.taxes, old.drafted_at, old.finalize_at, old.finalized_at, old.due_date,
            old.seller, old.buyer, old.replaces_id)
           is distinct from
           (new.customer_id, new.number, new.currency, new.subtotal, new.discount_total, new.total,
            new.tax_total, new.taxes, new.drafted_at, new.finalize_at, new.finalized_at, new.due_date,
            new.seller, new.buyer, new.replaces_id)
    then
        raise exception 'UPDATE of invoice % refused: it is finalized', old.number
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0006_idempotency_records'),
    ]

    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name='seller',
            name='grace_hours',
            field=models.PositiveIntegerField(default=0, help_text='for which drafts follow late usage before they are finalized'),
        ),
        migrations.AddField(
            model_name='customer',
            name='grace_hours',
            field=models.PositiveIntegerField(blank=True, help_text="empty: the seller's", null=True),
        ),
        migrations.AddField(
            model_name='customer',
            name='due_days',
            field=models.PositiveIntegerField(blank=True, help_text="empty: the seller's", null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='tax_total',
            field=metering.models.fields.ExactDecimalField(default=Decimal(0)),
        ),
        migrations.AddField(
            model_name='invoice',
            name='taxes',
            field=models.JSONField(default=list, encoder=django.core.serializers.json.DjangoJSONEncoder, help_text='[{name, percent, base, amount, note}]'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='finalize_at',
            field=models.DateTimeField(blank=True, help_text="when a draft's grace ends", null=True),
        ),
        migrations.AddField(
            model_name='invoice',
            name='replaces',
            field=models.ForeignKey(blank=True, help_text='the void invoice that this one was made in place of', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replacements', to='billing.invoice'),
        ),
        migrations.RunSQL(FROZEN, migrations.RunSQL.noop),
    ]
