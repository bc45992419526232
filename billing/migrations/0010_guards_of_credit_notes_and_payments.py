"""The database itself refuses to change credit notes and payments, and notes down who began or ceased to pay."""

from django.db import migrations

# A credit note is frozen from its first breath: its lines are written just before it (their foreign key is
# checked at the commit), and none after it.
CREDIT_NOTES = """
create function meterbook_check_credit_note() returns trigger language plpgsql as $$
declare
    invoice record;
    given_back numeric;
begin
    select number, state, total into invoice from billing_invoice where id = new.invoice_id for no key update;
    if invoice.state not in ('FINALIZED', 'PAID') then
        raise exception 'INSERT of credit note % refused: its invoice is %', new.number, invoice.state
            using errcode = 'restrict_violation';
    end if;
    select coalesce(sum(total), 0) into given_back from billing_creditnote where invoice_id = new.invoice_id;
    if given_back + new.total > invoice.total then
        raise exception 'INSERT of credit note % refused: more would be given back than invoice % charged',
            new.number, invoice.number using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create function meterbook_freeze_credit_note_line() returns trigger language plpgsql as $$
declare
    note text;
begin
    if tg_op = 'INSERT' then
        select number into note from billing_creditnote where id = new.credit_note_id;
        if note is null then
            return new;
        end if;
        raise exception 'INSERT of a line of credit note % refused: it is issued', note
            using errcode = 'restrict_violation';
    end if;
    raise exception '% of % refused: its rows are append-only', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

create trigger credit_note_is_within_its_invoice before insert on billing_creditnote
    for each row execute function meterbook_check_credit_note();
create trigger credit_note_is_frozen before update or delete on billing_creditnote
    for each row execute function meterbook_refuse_change();
create trigger credit_note_is_not_truncated before truncate on billing_creditnote
    for each statement execute function meterbook_refuse_truncate();
create trigger credit_note_line_is_frozen before insert or update or delete on billing_creditnoteline
    for each row execute function meterbook_freeze_credit_note_line();
create trigger credit_note_line_is_not_truncated before truncate on billing_creditnoteline
    for each statement execute function meterbook_refuse_truncate();
"""

PAYMENTS = """
create function meterbook_check_payment() returns trigger language plpgsql as $$
declare
    invoice record;
begin
    select number, state into invoice from billing_invoice where id = new.invoice_id for no key update;
    if invoice.state not in ('FINALIZED', 'PAID') then
        raise exception 'INSERT of a payment refused: invoice % is %', coalesce(invoice.number, ''), invoice.state
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger payment_is_of_a_finalized_invoice before insert on billing_payment
    for each row execute function meterbook_check_payment();
create trigger payment_is_append_only before update or delete on billing_payment
    for each row execute function meterbook_refuse_change();
create trigger payment_is_not_truncated before truncate on billing_payment
    for each statement execute function meterbook_refuse_truncate();
"""

# Counters of usage do not move when a subject gets another payer, so that is noted down beside them.
PAYERS = """
create function meterbook_note_payer_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and (old.customer_id, old.subject, old.validity, old.subscription_id)
        is not distinct from (new.customer_id, new.subject, new.validity, new.subscription_id)
    then
        return null;
    end if;
    if tg_op <> 'INSERT' then
        insert into billing_recheck (customer_id, validity, reason)
        values (old.customer_id, old.validity, 'they paid for the subject ' || old.subject);
    end if;
    if tg_op <> 'DELETE' then
        insert into billing_recheck (customer_id, validity, reason)
        values (new.customer_id, new.validity, 'they pay for the subject ' || new.subject);
    end if;
    return null;
end $$;

create trigger payer_change_is_noted after insert or update or delete on billing_customersubject
    for each row execute function meterbook_note_payer_change();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_taxes_credit_notes_and_payments")]
    operations = [
        migrations.RunSQL("set local lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RunSQL(CREDIT_NOTES, migrations.RunSQL.noop),
        migrations.RunSQL(PAYMENTS, migrations.RunSQL.noop),
        migrations.RunSQL(PAYERS, migrations.RunSQL.noop),
    ]
