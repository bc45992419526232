"""Functions that read a value out of an event's data as the measures of `metering.measures` do.

None of them raises for any jsonb: what cannot be used is null, and the event is listed as uncounted.
"""

from django.db import migrations

# At most 20 digits before and 18 after the decimal point, trailing zeros not counted.
BOUNDED = """
create or replace function metering_bounded(number numeric) returns numeric
language sql immutable parallel safe as $$
    select case when abs(number) < 1e20 and (scale(number) <= 18 or scale(trim_scale(number)) <= 18) then number end
$$;
"""

# A JSON number, or a text of the number grammar, of any size. Null: missing, null, or no number.
NUMBER = """
create or replace function metering_number(value jsonb) returns numeric
language sql immutable parallel safe as $$
    select case jsonb_typeof(value)
        when 'number' then value::numeric
        when 'string' then
            case when octet_length(value #>> '{}') <= 60
                      and value #>> '{}' ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]{1,3})?$'
                then case when abs((value #>> '{}')::numeric) < 1e1000
                               and scale(trim_scale((value #>> '{}')::numeric)) <= 1000
                    then (value #>> '{}')::numeric
                end
            end
    end
$$;
"""

# The text that `where` compares. '' where the value is missing or null; null for objects and arrays.
WORD = """
create or replace function metering_word(value jsonb) returns text
language sql immutable parallel safe as $$
    select case coalesce(jsonb_typeof(value), 'null')
        when 'string' then value #>> '{}'
        when 'null' then ''
        when 'number' then trim_scale(value::numeric)::text
        when 'boolean' then value #>> '{}'
    end
$$;
"""

# The same as the value of a dimension: null, too, beyond 200 bytes. Not written as a call of metering_word: the
# planner would no longer put it in line, and a roll-up would take several times as long.
TEXT = """
create or replace function metering_text(value jsonb) returns text
language sql immutable parallel safe as $$
    select case coalesce(jsonb_typeof(value), 'null')
        when 'string' then case when octet_length(value #>> '{}') <= 200 then value #>> '{}' end
        when 'null' then ''
        when 'number' then
            case when octet_length(trim_scale(value::numeric)::text) <= 200 then trim_scale(value::numeric)::text end
        when 'boolean' then value #>> '{}'
    end
$$;
"""

# Microseconds since 1970 of a number of seconds, cut toward zero. Null outside the years 1 to 9999.
UNIX_SECONDS = """
create or replace function metering_unix_seconds(seconds numeric) returns bigint
language sql immutable parallel safe as $$
    select case when trunc(seconds * 1000000) between -62135596800000000 and 253402300799999999
        then trunc(seconds * 1000000)::bigint
    end
$$;
"""

# Integers instead of timestamptz: they are exact, they cannot be rounded on the way in, and the casts from text
# to timestamptz depend on settings.
RFC3339 = """
create or replace function metering_rfc3339(written text) returns bigint
language plpgsql immutable parallel safe as $$
declare
    year integer := substr(written, 1, 4)::integer;
    month integer := substr(written, 6, 2)::integer;
    day integer := substr(written, 9, 2)::integer;
    hour integer := substr(written, 12, 2)::integer;
    minute integer := substr(written, 15, 2)::integer;
    second integer := substr(written, 18, 2)::integer;
    fraction text := coalesce(substring(written from '[.]([0-9]+)'), '');
    zone text := substring(written from '[+-][0-9]{2}:[0-9]{2}$');
    zone_minutes integer := 0;
    month_days integer;
    answer bigint;
begin
    if year < 1 or month not between 1 and 12 or day < 1 or hour > 23 or minute > 59 or second > 59 then
        return null;
    end if;
    month_days := case
        when month in (4, 6, 9, 11) then 30
        when month <> 2 then 31
        when mod(year, 4) = 0 and (mod(year, 100) <> 0 or mod(year, 400) = 0) then 29
        else 28
    end;
    if day > month_days then
        return null;
    end if;
    if zone is not null then
        if substr(zone, 2, 2)::integer > 23 or substr(zone, 5, 2)::integer > 59 then
            return null;
        end if;
        zone_minutes := substr(zone, 2, 2)::integer * 60 + substr(zone, 5, 2)::integer;
        if left(zone, 1) = '-' then
            zone_minutes := -zone_minutes;
        end if;
    end if;
    answer := (
        (make_date(year, month, day) - date '1970-01-01') * 1440::bigint + hour * 60 + minute - zone_minutes
    ) * 60000000 + second * 1000000::bigint + rpad(left(fraction, 6), 6, '0')::bigint;
    return case when answer between -62135596800000000 and 253402300799999999 then answer end;
end $$;
"""

# An instant in microseconds since 1970: RFC 3339 (without offset: UTC) or Unix seconds, cut to microseconds.
INSTANT = """
create or replace function metering_instant(value jsonb) returns bigint
language sql immutable parallel safe as $$
    select case jsonb_typeof(value)
        when 'number' then metering_unix_seconds(value::numeric)
        when 'string' then
            case when value #>> '{}' ~
                '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?$'
                then metering_rfc3339(value #>> '{}')
                else metering_unix_seconds(metering_number(value))
            end
    end
$$;
"""

# Whole increments, rounded up, of what is at least the minimum. Exact: numeric division would round.
SLOTS = """
create or replace function metering_slots(quantity numeric, minimum numeric, increment numeric) returns numeric
language sql immutable parallel safe as $$
    select case
        when increment is null then greatest(quantity, minimum)
        else (div(greatest(quantity, minimum), increment)
              + case when mod(greatest(quantity, minimum), increment) > 0 then 1 else 0 end) * increment
    end
$$;
"""

# Between timestamptz and microseconds since 1970, and down to the quarter hour, which is counted from 1970.
CLOCK = """
create or replace function metering_microseconds(at timestamptz) returns bigint
language sql immutable parallel safe as $$
    select (extract(epoch from at at time zone 'UTC') * 1000000)::bigint
$$;
create or replace function metering_quarter(microseconds bigint) returns bigint
language sql immutable parallel safe as $$
    select microseconds / 900000000 - case when mod(microseconds, 900000000) < 0 then 1 else 0 end
$$;
create or replace function metering_at(microseconds bigint) returns timestamptz
language sql immutable parallel safe as $$
    select (
        (date '1970-01-01' + (metering_quarter(microseconds) / 96)::integer)::timestamp
        + make_interval(mins => mod(metering_quarter(microseconds), 96)::integer * 15)
        + (microseconds - metering_quarter(microseconds) * 900000000) * interval '1 microsecond'
    ) at time zone 'UTC'
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0002_guards")]
    operations = [
        migrations.RunSQL(sql, migrations.RunSQL.noop)
        for sql in (BOUNDED, NUMBER, WORD, TEXT, UNIX_SECONDS, RFC3339, INSTANT, SLOTS, CLOCK)
    ]
