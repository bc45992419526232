"""The database itself refuses two payers for one subject, overlapping phases, and changes of what was published
or finalized."""

from django.db import migrations

# btree_gist is an extension that not every server has; a range type over text does the same.
NO_OVERLAP = """
create type text_range as range (subtype = text, collation = "C");
alter table billing_customersubject
    add constraint one_payer_per_subject_and_instant
    exclude using gist (text_range(subject, subject, '[]') with &&, validity with &&);
alter table billing_subscriptionphase
    add constraint phases_of_a_subscription_do_not_overlap
    exclude using gist (int8range(subscription_id, subscription_id, '[]') with &&, validity with &&);
"""

PUBLISHED = """
create trigger plan_version_is_immutable before update or delete on billing_planversion
    for each row execute function meterbook_refuse_change();
create trigger plan_version_is_not_truncated before truncate on billing_planversion
    for each statement execute function meterbook_refuse_truncate();
"""

# Finalized money may only be marked as paid or void; everything else about it stays as it was printed.
FROZEN = """
create function meterbook_freeze_invoice() returns trigger language plpgsql as $$
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
            old.drafted_at, old.finalized_at, old.due_date, old.seller, old.buyer)
           is distinct from
           (new.customer_id, new.number, new.currency, new.subtotal, new.discount_total, new.total,
            new.drafted_at, new.finalized_at, new.due_date, new.seller, new.buyer)
    then
        raise exception 'UPDATE of invoice % refused: it is finalized', old.number
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create function meterbook_freeze_service_period() returns trigger language plpgsql as $$
declare
    number text;
begin
    select i.number into number from billing_invoice i
        where i.id = coalesce(old.invoice_id, new.invoice_id) and i.state <> 'DRAFT';
    if number is null and tg_op = 'UPDATE' then
        select i.number into number from billing_invoice i where i.id = new.invoice_id and i.state <> 'DRAFT';
    end if;
    if number is null then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    -- Voiding an invoice frees its periods for ever, and later revisions of its usage are taken note of.
    if tg_op = 'UPDATE'
        and (new.is_void or not old.is_void)
        and (to_jsonb(old) - 'is_void' - 'revisions') = (to_jsonb(new) - 'is_void' - 'revisions')
    then
        return new;
    end if;
    raise exception '% of a service period of invoice % refused: it is finalized', tg_op, number
        using errcode = 'restrict_violation';
end $$;

create function meterbook_freeze_invoice_line() returns trigger language plpgsql as $$
declare
    number text;
    period_ids bigint[] := array[
        case when tg_op <> 'INSERT' then old.service_period_id end,
        case when tg_op <> 'DELETE' then new.service_period_id end
    ];
begin
    select i.number into number
        from billing_serviceperiod p join billing_invoice i on i.id = p.invoice_id
        where p.id = any (period_ids) and i.state <> 'DRAFT' limit 1;
    if number is null then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    raise exception '% of a line of invoice % refused: it is finalized', tg_op, number
        using errcode = 'restrict_violation';
end $$;

create trigger invoice_is_frozen before update or delete on billing_invoice
    for each row execute function meterbook_freeze_invoice();
create trigger service_period_is_frozen before insert or update or delete on billing_serviceperiod
    for each row execute function meterbook_freeze_service_period();
create trigger invoice_line_is_frozen before insert or update or delete on billing_invoiceline
    for each row execute function meterbook_freeze_invoice_line();
create trigger invoice_is_not_truncated before truncate on billing_invoice
    for each statement execute function meterbook_refuse_truncate();
create trigger service_period_is_not_truncated before truncate on billing_serviceperiod
    for each statement execute function meterbook_refuse_truncate();
create trigger invoice_line_is_not_truncated before truncate on billing_invoiceline
    for each statement execute function meterbook_refuse_truncate();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_first_tables"), ("metering", "0002_guards")]
    operations = [
        migrations.RunSQL(NO_OVERLAP, migrations.RunSQL.noop),
        migrations.RunSQL(PUBLISHED, migrations.RunSQL.noop),
        migrations.RunSQL(FROZEN, migrations.RunSQL.noop),
    ]
