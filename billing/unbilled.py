"""Usage that no invoice has, and why: nothing that was stored is silently free.

What is mended counts from its own time: a subject that gets its payer late is billed from the events' times
on, on the next invoice or as an adjustment of a period that is invoiced already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from billing import versions
from billing.models import Invoice, Plan, Recheck
from metering import usage
from metering.models import MeterVersion
from metering.models.patience import answer_in_time
from metering.periods import Period


class Reason(StrEnum):
    """Why measured usage is on no invoice. The last one is the rule for an event that two meters count."""

    NO_PAYER = "NO_PAYER"  # nobody pays for the subject at that time
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION"  # who pays has no subscription at that time
    PAUSED = "PAUSED"  # the subscription rests
    NOT_IN_PLAN = "NOT_IN_PLAN"  # the plan does not name the meter


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Usage of a subject that a meter counted: how many events, and when, to the quarter hour."""

    subject: str
    meter: str
    reason: Reason
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Blocked:
    """What keeps a draft from being finalized, or an invoiced period from being rated again.

    ``invoice_id``: the draft's, None for an invoiced period. ``since``: when it was last computed, if known.
    """

    customer_key: str
    invoice_id: int | None
    reason: str
    since: datetime | None


# For each subject and meter the stretches of the period in which nobody is charged, by why: what lies between
# the time that is asked for, the time in which somebody pays for the subject, that in which who pays has a
# subscription, that in which its plan (some version of it) names the meter, and that without pauses. Only the
# buckets of those stretches are read.
_UNBILLED = """
with asked as (
    select %(period)s::tstzrange as period
), plan_meter as materialized (
    select * from unnest(%(plan_ids)s::bigint[], %(slugs)s::text[]) t(plan_id, slug)
), paid as materialized (
    select cs.subject, range_agg(cs.validity * period) as time
    from billing_customersubject cs, asked
    where cs.validity && period and cs.subject >= %(subject)s
    group by cs.subject
), offer as materialized (
    select cs.subject, f.plan_id, f.subscription_id, cs.validity * f.validity * period as time
    from asked
    join billing_customersubject cs on cs.validity && period and cs.subject >= %(subject)s
    join billing_subscription b on b.customer_id = cs.customer_id
        and b.id = coalesce(cs.subscription_id, b.id)
    join billing_subscriptionphase f on f.subscription_id = b.id and f.validity && cs.validity * period
), subscribed as materialized (
    select subject, range_agg(time) as time from offer group by subject
), rest as materialized (
    select p.subscription_id, range_agg(p.validity) as time from billing_subscriptionpause p, asked
    where p.validity && period group by p.subscription_id
), named as materialized (
    select o.subject, pm.slug, range_agg(o.time) as time,
        range_agg(tstzmultirange(o.time) - coalesce(rest.time, '{}')) as charged
    from offer o join plan_meter pm using (plan_id) left join rest using (subscription_id)
    group by o.subject, pm.slug
), gap as (
    select s.id, s.subject, m.slug, why.reason, unnest(why.time) as time
    from asked, metering_usageseries s
    join metering_meterversion v on v.id = s.meter_version_id
    join metering_meter m on m.id = v.meter_id
    left join paid on paid.subject = s.subject
    left join subscribed on subscribed.subject = s.subject
    left join named on named.subject = s.subject and named.slug = m.slug
    cross join lateral (values
        ('NO_PAYER', tstzmultirange(period) - coalesce(paid.time, '{}')),
        ('NO_SUBSCRIPTION', coalesce(paid.time, '{}') - coalesce(subscribed.time, '{}')),
        ('NOT_IN_PLAN', coalesce(subscribed.time, '{}') - coalesce(named.time, '{}')),
        ('PAUSED', coalesce(named.time, '{}') - coalesce(named.charged, '{}'))
    ) why(reason, time)
    where s.meter_version_id = any(%(versions)s) and why.reason = any(%(reasons)s)
        and (s.subject, m.slug, why.reason) > (%(subject)s, %(slug)s, %(reason)s)
)
select gap.subject, gap.slug, gap.reason, sum(b.count)::bigint, min(b.first),
    max(b.last) + interval '15 minutes'
from gap cross join lateral (
    select sum(count) as count, min(start) as first, max(start) as last from metering_usagebucket
    where series_id = gap.id and start >= lower(gap.time) and start < upper(gap.time)
) b
where b.first is not null
group by gap.subject, gap.slug, gap.reason order by gap.subject, gap.slug, gap.reason limit %(limit)s
"""

Place = tuple[str, str, str]
FIRST: Place = ("", "", "")


def measured(
    *, reasons: Collection[Reason], period: Period, after: Place, limit: int, at: datetime
) -> list[Unbilled]:
    """At most ``limit`` rows of measured usage of the period that nobody is charged for, for these reasons.

    By subject, meter and reason, those behind the place ``after``. Usage that waits to be rolled up is not
    there yet. Raises `metering.models.patience.TooSlow`.
    """
    found = _meter_versions(at)
    plan_ids, slugs = _named_meters()
    values = {
        "plan_ids": plan_ids,
        "slugs": slugs,
        "versions": [version.pk for version in found],
        "period": DateTimeTZRange(period.start, period.end),
        "reasons": sorted(reasons),
        "subject": after[0],
        "slug": after[1],
        "reason": after[2],
        "limit": limit,
    }
    with answer_in_time(), connection.cursor() as cursor:
        cursor.execute(_UNBILLED, values)
        return [
            Unbilled(subject, slug, Reason(reason), *counted)
            for subject, slug, reason, *counted in cursor.fetchall()
        ]


def unmatched(*, period: Period, after: str, limit: int, at: datetime) -> list[usage.Unmetered]:
    """At most ``limit`` types of events of the period that no meter counts, those behind ``after``."""
    return usage.unmatched(versions=_meter_versions(at), period=period, after=after, limit=limit)


def unusable(*, period: Period, after: tuple[str, str], limit: int) -> list[usage.Unmetered]:
    """At most ``limit`` rows, by meter and reason, of events that a meter of their type cannot use."""
    return usage.unusable(period=period, after=after, limit=limit)


def blocked(*, after: int, limit: int) -> list[tuple[int, Blocked]]:
    """At most ``limit`` drafts that cannot be finalized, by id, with their ids: such as usage without a
    price.

    Those behind the id ``after``.
    """
    drafts = Invoice.objects.filter(~Q(blocked_reason=""), state=Invoice.State.DRAFT, pk__gt=after)
    rows = drafts.select_related("customer").order_by("pk")[:limit]
    return [(row.pk, Blocked(row.customer.key, row.pk, row.blocked_reason, row.drafted_at)) for row in rows]


def unadjusted(*, after: int, limit: int) -> list[tuple[int, Blocked]]:
    """At most ``limit`` invoiced periods with changed usage that cannot be rated, with the rechecks' ids."""
    rows = Recheck.objects.exclude(failure="").filter(pk__gt=after).select_related("customer")
    return [
        (row.pk, Blocked(row.customer.key, None, row.failure, None)) for row in rows.order_by("pk")[:limit]
    ]


def _meter_versions(at: datetime) -> list[MeterVersion]:
    return list(usage.versions(at=at, is_archived_too=True).values())


def _named_meters() -> tuple[Sequence[int], Sequence[str]]:
    """The meters that some version of each plan names, as two lists of equal length."""
    pairs = [
        (plan.pk, slug) for plan in Plan.objects.order_by("pk") for slug in sorted(versions.meters(plan))
    ]
    return [plan_id for plan_id, _ in pairs], [slug for _, slug in pairs]
