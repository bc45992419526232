"""Reads the usage that a subscription is charged for, and has it rated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing import evidence, rating, versions
from billing.documents.nodes import Component
from billing.documents.prices import Matrix
from billing.models import Subscription
from billing.rating import Statement
from billing.statements import phases
from billing.statements.payers import Payer, Span
from billing.statements.phases import StatementRefused, Stretch
from metering import usage
from metering.models import MeterVersion
from metering.periods import Period, format_instant
from metering.usage import Usage, Windows


class MeterMissing(StatementRefused):
    """The plan prices a meter that does not count at the time of the statement."""


@dataclass(frozen=True)
class Rated:
    """A statement, the rating input it was computed from (`evidence`), and the usage counters at that time.

    ``revisions``: by the meter version's id (as text), then by "subject|YYYY-MM".
    """

    statement: Statement
    rating_input: dict[str, Any]
    revisions: dict[str, dict[str, int]]


@dataclass
class _Reading:
    """The usage read so far, as a rating input and an invoice keep it."""

    spans: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    revisions: dict[str, dict[str, int]] = field(default_factory=dict)

    def note_revisions(self, version: MeterVersion, revisions: Mapping[str, int]) -> None:
        """Keeps the lowest counter seen: an event that came between two readings must show as late."""
        kept = self.revisions.setdefault(str(version.pk), {})
        for key, revision in revisions.items():
            kept[key] = min(revision, kept.get(key, revision))


def of(*, subscription: Subscription, period: Period, as_of: datetime, is_final: bool) -> Rated:
    """What is due for a whole billing period of the subscription, from usage up to ``as_of``.

    Only the part of the period in which the subscription runs is billed. ``is_final``: the period is closed
    with this; without it minimums and fees in arrears are left out. Raises DocumentError as rating does
    (``unpriced``: usage that no component takes), a StatementRefused, or versions.PlanNotInForce.
    """
    billed = phases.billed_period(subscription=subscription, period=period)
    stretches = phases.stretches(subscription=subscription, period=billed)
    meters = _meters(stretches, as_of)
    reading = _read(Payer(subscription=subscription, period=billed), stretches, meters, billed, as_of)
    rating_input = {
        "version": evidence.LAYOUT,
        "period": evidence.written_period(period),
        "billed_period": evidence.written_period(billed),
        "timezone": subscription.timezone,
        "as_of": format_instant(as_of),
        "is_final": is_final,
        "segments": [_segment(stretch) for stretch in stretches],
        "meters": [
            {"slug": slug, "version": version.number, "document": version.document}
            for slug, version in meters.items()
        ],
        "spans": reading.spans,
        "usage": reading.rows,
        "billed": [],
    }
    return Rated(evidence.rate(rating_input), rating_input, reading.revisions)


def _meters(stretches: Sequence[Stretch], as_of: datetime) -> dict[str, MeterVersion]:
    slugs = sorted(frozenset().union(*(stretch.plan.meters() for stretch in stretches)))
    found = usage.versions(at=as_of, slugs=slugs, is_archived_too=True)
    for slug in slugs:
        if slug not in found:
            raise MeterMissing(f"The meter {slug} does not count at {as_of:%Y-%m-%d %H:%M} UTC.")
    return {slug: found[slug] for slug in slugs}


def _read(
    payer: Payer,
    stretches: Sequence[Stretch],
    meters: Mapping[str, MeterVersion],
    billed: Period,
    as_of: datetime,
) -> _Reading:
    """The usage of each meter in each stretch that prices it; stretches share no time."""
    reading = _Reading()
    for slug, version in meters.items():
        spans = payer.spans(slug)
        reading.spans[slug] = [
            {"subject": subject, **evidence.written_period(each)} for subject, each in spans
        ]
        for stretch in stretches:
            inside = _inside(spans, stretch.period)
            if slug in stretch.plan.meters() and inside:
                is_quartered, by = _needs(stretch, slug)
                answer = usage.quantities(
                    meter=version,
                    spans=inside,
                    by=by,
                    windows=Windows("QUARTER", "UTC") if is_quartered else None,
                    billing_period=billed,
                    as_of=as_of,
                )
                reading.rows += [_row(slug, each, stretch.period) for each in answer.rows]
                reading.note_revisions(version, answer.revisions)
    return reading


def _inside(spans: Sequence[Span], period: Period) -> list[Span]:
    return [(subject, part) for subject, each in spans if (part := each.intersect(period)) is not None]


def _needs(stretch: Stretch, slug: str) -> tuple[bool, list[str]]:
    """Whether usage is needed by the quarter hour, and the dimensions that the components tell apart."""
    components = [each for each in stretch.plan.all_components() if each.meter == slug]
    names = frozenset().union(*(rating.dimension_names(each) for each in components))
    return any(rating.needs_quarters(each) or _orders_free_units(each) for each in components), sorted(names)


def _orders_free_units(component: Component) -> bool:
    """Whether it matters which usage is free: the earliest is, by the quarter hour, and prices differ."""
    return component.included is not None and isinstance(component.price, Matrix)


def _row(slug: str, each: Usage, period: Period) -> dict[str, Any]:
    # A quarter hour that a price change cuts begins, for the later price, with the change.
    at = period.start if each.window is None else max(each.window.start, period.start)
    return {
        "meter": slug,
        "quantity": evidence.written_quantity(each.quantity),
        "at": format_instant(at),
        "dimensions": dict(each.dimensions),
        "count": each.count,
    }


def _segment(stretch: Stretch) -> dict[str, Any]:
    return {
        **evidence.written_period(stretch.period),
        "plan": stretch.plan.code,
        "version": stretch.version.number,
        "document": versions.rated_document(stretch.version),
        "overrides": stretch.overrides,
    }
