"""The database itself refuses what must never happen to facts."""

from django.db import migrations

APPEND_ONLY = """
create function meterbook_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% of % refused: its rows are append-only', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

-- Row triggers do not see TRUNCATE. The tests empty tables between cases and set this; nothing else does.
create function meterbook_refuse_truncate() returns trigger language plpgsql as $$
begin
    if current_setting('meterbook.allow_truncate', true) is distinct from 'on' then
        raise exception 'TRUNCATE of % refused: its rows are kept for ever', tg_table_name
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;

create trigger event_is_append_only before update or delete on metering_event
    for each row execute function meterbook_refuse_change();
create trigger event_is_not_truncated before truncate on metering_event
    for each statement execute function meterbook_refuse_truncate();
create trigger event_key_is_append_only before update or delete on metering_eventkey
    for each row execute function meterbook_refuse_change();
create trigger event_key_is_not_truncated before truncate on metering_eventkey
    for each statement execute function meterbook_refuse_truncate();
""" + "".join(  # a partition can be emptied by its own name
    f"create trigger event_key_is_not_truncated before truncate on metering_eventkey_{n:02} "
    "for each statement execute function meterbook_refuse_truncate();\n"
    for n in range(16)
)


class Migration(migrations.Migration):
    dependencies = [("metering", "0001_first_tables")]
    operations = [migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop)]
