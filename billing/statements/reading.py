"""Reads the usage that subscriptions are charged for, in the rows that rating needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billing import evidence, rating
from billing.documents.nodes import Component
from billing.documents.prices import Matrix
from billing.statements.payers import Span
from billing.statements.phases import Stretch
from metering import usage
from metering.models import MeterVersion
from metering.periods import Period, format_instant
from metering.usage import Usage, Windows


@dataclass(frozen=True)
class Want:
    """The usage that one statement needs.

    ``spans``: by meter, whose usage and when. ``stretches``: what the subscription is on, in order of time;
    they share no time. ``billed``: the part of the billing period that is charged, which holds them all.
    """

    spans: Mapping[str, Sequence[Span]]
    stretches: Sequence[Stretch]
    meters: Mapping[str, MeterVersion]
    billed: Period
    as_of: datetime


@dataclass
class Reading:
    """The usage read for one want, as a rating input and an invoice keep it.

    ``spans`` and ``rows``: see `billing.evidence`. ``revisions``: by the meter version's id (as text), then
    by "subject|YYYY-MM".
    """

    spans: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    revisions: dict[str, dict[str, int]] = field(default_factory=dict)

    def note_revisions(self, version: MeterVersion, revisions: Mapping[str, int]) -> None:
        """Keeps the lowest counter seen: an event that came between two readings must show as late."""
        kept = self.revisions.setdefault(str(version.pk), {})
        for key, revision in revisions.items():
            kept[key] = min(revision, kept.get(key, revision))


def read(wants: Sequence[Want]) -> list[Reading]:
    """The usage of each meter in each stretch that prices it, for each want, in the order of the wants."""
    return [_read(want) for want in wants]


def _read(want: Want) -> Reading:
    reading = Reading()
    for slug, version in want.meters.items():
        spans = want.spans[slug]
        reading.spans[slug] = [
            {"subject": subject, **evidence.written_period(each)} for subject, each in spans
        ]
        for stretch in want.stretches:
            inside = _inside(spans, stretch.period)
            if slug in stretch.plan.meters() and inside:
                is_quartered, by = _needs(stretch, slug)
                answer = usage.quantities(
                    meter=version,
                    spans=inside,
                    by=by,
                    windows=Windows("QUARTER", "UTC") if is_quartered else None,
                    billing_period=want.billed,
                    as_of=want.as_of,
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
