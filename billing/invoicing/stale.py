"""Finds invoiced pieces of periods whose usage may have changed: by counters, never by comparing times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

CHUNK = 1000  # service periods that one statement looks through


@dataclass(frozen=True)
class Stale:
    """A piece of a subscription's period, by its start."""

    customer_id: int
    subscription_id: int
    start_at: datetime


# A row is compared where it is the last of its piece, an adjustment that waits included, and where the
# invoice of the piece itself stands. The counters are those of the subjects that are charged now, in the UTC
# months for which they are (for a meter that carries over in all earlier ones, too), and those that were
# stored. The versions are those with stored counters, and newer ones of the same meters.
_STALE = """
with version as materialized (
    select id, meter_id, number, effective_at,
        coalesce((document ->> 'carry_over')::boolean, document ->> 'aggregation' = 'TIME_WEIGHTED')
            as is_carried
    from metering_meterversion
), looked_through as materialized (
    select p.id, p.subscription_id, p.start_at, p.end_at, p.revisions, s.customer_id
    from billing_serviceperiod p
    join billing_invoice i on i.id = p.invoice_id
    join billing_subscription s on s.id = p.subscription_id
    where p.id > %(after)s and p.part = 'ARREARS' and not p.is_void
        and (i.state in ('FINALIZED', 'PAID') or i.state = 'DRAFT' and p.sequence > 1)
    order by p.id limit %(limit)s
)
select p.id, p.customer_id, p.subscription_id, p.start_at,
    p.id = (
        select max(own.id) from billing_serviceperiod own
        where own.subscription_id = p.subscription_id and own.start_at = p.start_at
            and own.part = 'ARREARS' and not own.is_void
    ) and (
        select i.state from billing_serviceperiod own join billing_invoice i on i.id = own.invoice_id
        where own.subscription_id = p.subscription_id and own.start_at = p.start_at
            and own.part = 'ARREARS' and own.sequence = 1 and not own.is_void
        limit 1
    ) in ('FINALIZED', 'PAID') and exists (
        select from (
            select v.* from jsonb_object_keys(p.revisions) stored(version_id)
            join version named on named.id = stored.version_id::bigint
            join version v on v.meter_id = named.meter_id
                and (v.id = named.id or v.number > named.number and v.effective_at < p.end_at)
            offset 0
        ) v
        where exists (
            select from jsonb_each_text(p.revisions -> v.id::text) kept(key, revision)
            join metering_usagerevision r on r.meter_version_id = v.id
                and r.subject = regexp_replace(kept.key, '\\|[^|]*$', '')
                and r.month = to_date(right(kept.key, 7), 'YYYY-MM')
            where r.revision > kept.revision::bigint
        ) or exists (
            select from billing_customersubject cs
            cross join lateral (
                select cs.validity * tstzrange(p.start_at, p.end_at) as charged offset 0
            ) t
            join metering_usagerevision r on r.meter_version_id = v.id and r.subject = cs.subject
            where cs.customer_id = p.customer_id
                and coalesce(cs.subscription_id, p.subscription_id) = p.subscription_id
                and not isempty(t.charged)
                and (v.is_carried
                    or r.month >= date_trunc('month', lower(t.charged) at time zone 'UTC')::date)
                and r.month < upper(t.charged) at time zone 'UTC'
                and not coalesce(p.revisions -> v.id::text, '{}')
                    ? (cs.subject || '|' || to_char(r.month, 'YYYY-MM'))
        )
    ) as is_stale
from looked_through p order by p.id
"""


def pieces() -> Iterator[Stale]:
    """Every stale piece, in the order in which they were invoiced, with one statement for each `CHUNK` rows.

    A piece may be named that is not stale at all, so that it costs a rating and changes nothing; none is left
    out whose counters have moved when its row is looked at.
    """
    after = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local jit = off")  # which takes longer than the statement itself
            cursor.execute(_STALE, {"after": after, "limit": CHUNK})
            rows = cursor.fetchall()
        for _id, customer_id, subscription_id, start_at, is_stale in rows:
            if is_stale:
                yield Stale(customer_id, subscription_id, start_at)
        if len(rows) < CHUNK:
            return
        after = rows[-1][0]
