"""Reads the usage that subscriptions are charged for, in the rows that rating needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from billing import evidence, rating
from billing.documents import matching
from billing.documents.nodes import Component
from billing.documents.prices import Matrix
from billing.statements import questions, single_events
from billing.statements.payers import Span
from billing.statements.phases import StatementRefused, Stretch
from billing.statements.questions import Carried, Question
from metering import usage
from metering.documents.meter import UNIQUE
from metering.models import MeterVersion
from metering.periods import Period, format_instant
from metering.usage import Usage, Windows

Row = dict[str, Any]


@dataclass(frozen=True)
class Want:
    """The usage that one statement needs.

    ``spans``: by meter, whose usage and when. ``stretches``: what the subscription is on, in order of time;
    they share no time. ``billed``: the part of the billing period that is charged, which holds them all.
    ``started_at``: when the subscription began, before which a UNIQUE meter that carries over counts nothing.
    """

    spans: Mapping[str, Sequence[Span]]
    stretches: Sequence[Stretch]
    meters: Mapping[str, MeterVersion]
    billed: Period
    as_of: datetime
    started_at: datetime | None = None


@dataclass
class Reading:
    """The usage read for one want, as a rating input and an invoice keep it.

    ``spans`` and ``rows``: see `billing.evidence`. ``revisions``: by the meter version's id (as text), then
    by "subject|YYYY-MM".
    """

    spans: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    revisions: dict[str, dict[str, int]] = field(default_factory=dict)

    def note_revisions(self, version: MeterVersion, revisions: Mapping[str, int]) -> None:
        """Keeps the lowest counter seen: an event that came between two readings must show as late."""
        kept = self.revisions.setdefault(str(version.pk), {})
        for key, revision in revisions.items():
            kept[key] = min(revision, kept.get(key, revision))


@dataclass(frozen=True)
class _Part:
    """A question for a want, and how a row of the answer becomes one of rating's; None leaves it out.

    ``events``: which single events are needed besides, for prices that look at each.
    """

    question: Question
    written: Callable[[Usage], Row | None]
    events: single_events.Needed | None = None


def read(wants: Sequence[Want]) -> list[Reading | StatementRefused]:
    """The usage of each meter that a want's stretches price, for each want, in their order.

    Wants are read together: the number of SQL statements grows with that of different meters and prices, not
    with the wants. A want with more single events than are read for one is a StatementRefused.
    """
    parts = [list(_parts(want)) for want in wants]
    flat = [part for each in parts for part in each]
    # The revisions are read first: an event that comes after them shows as late, though it may count.
    answers = iter(questions.answers([part.question for part in flat]))
    events = iter(
        single_events.read([(place, part.events) for place, each in enumerate(parts) for part in each])
    )
    found: list[Reading | StatementRefused] = []
    for want, each in zip(wants, parts, strict=True):
        reading = Reading(spans={slug: _written(want.spans[slug]) for slug in want.meters})
        refusal: StatementRefused | None = None
        for part in each:
            answer, singles = next(answers), next(events)
            reading.note_revisions(part.question.version, answer.revisions)
            if isinstance(singles, StatementRefused):
                refusal = singles
            else:
                rows = [part.written(row) for row in answer.rows] if singles is None else singles
                reading.rows += [row for row in rows if row is not None]
        found.append(refusal or reading)
    return found


def _written(spans: Sequence[Span]) -> list[dict[str, str]]:
    return [{"subject": subject, **evidence.written_period(each)} for subject, each in spans]


def _parts(want: Want) -> Iterator[_Part]:
    for slug, version in want.meters.items():
        if usage.definition(version).additive:
            for stretch in want.stretches:
                if slug in stretch.plan.meters():
                    yield from _of_stretch(want, slug, version, stretch)
        else:
            yield from _of_whole(want, slug, version)


def _of_stretch(want: Want, slug: str, version: MeterVersion, stretch: Stretch) -> Iterator[_Part]:
    """What adds up is read for each version of the prices by itself, as finely as these look at it."""
    spans = _inside(want, slug, stretch.period)
    if not spans:
        return
    components = [each for each in stretch.plan.all_components() if each.meter == slug]
    by = tuple(sorted(frozenset().union(*(rating.dimension_names(each) for each in components))))
    is_quartered = any(rating.needs_quarters(each) or _orders_free_units(each) for each in components)
    # Even where no price asks when, it is kept by the day: exports and charts do.
    windows = Windows("QUARTER" if is_quartered else "DAY", "UTC")
    question = Question(version, spans, by, windows=windows)
    events = single_events.needed(question, slug, components)
    yield _Part(question, partial(_row, slug, stretch.period), events)


def _of_whole(want: Want, slug: str, version: MeterVersion) -> Iterator[_Part]:
    """What does not add up is measured once for the whole piece, by each component over what it takes.

    The components are those of the last version of the prices, as that decides for the whole period.
    """
    spans = [span for stretch in want.stretches for span in _inside(want, slug, stretch.period)]
    if not spans:
        return
    carried = None
    if usage.definition(version).carry_over:
        is_unique = usage.definition(version).aggregation == UNIQUE
        carried = Carried(want.billed, want.started_at if is_unique else None)
    components = [each for each in want.stretches[-1].plan.all_components() if each.meter == slug]
    if not components:
        yield _Part(Question(version, spans, carried=carried), partial(_measured, slug, "", want.billed))
    for each in components:
        question = Question(version, spans, rating.told_apart(each), tuple(each.where), carried=carried)
        yield _Part(question, partial(_measured, slug, each.code, want.billed))
    if components and all(each.where for each in components):
        names = tuple(sorted({name for each in components for name, _ in each.where}))
        question = Question(version, spans, names, carried=carried)
        yield _Part(question, partial(_untaken, slug, components, want.billed))


def _inside(want: Want, slug: str, period: Period) -> list[Span]:
    """Whose usage counts in the period, up to the want's instant."""
    until = min(period.end, want.as_of)
    if period.start >= until:
        return []
    within = Period(period.start, until)
    return [(subject, part) for subject, each in want.spans[slug] if (part := each.intersect(within))]


def _orders_free_units(component: Component) -> bool:
    """Whether it matters which usage is free: the earliest is, by the quarter hour, and prices differ."""
    return component.included is not None and isinstance(component.price, Matrix)


def _row(slug: str, period: Period, each: Usage) -> Row:
    # A window that a price change cuts begins, for the later price, with the change.
    at = period.start if each.window is None else max(each.window.start, period.start)
    return {
        "meter": slug,
        "quantity": evidence.written_quantity(each.quantity),
        "at": format_instant(at),
        "dimensions": dict(each.dimensions),
        "count": each.count,
    }


def _measured(slug: str, component: str, billed: Period, each: Usage) -> Row:
    row = _row(slug, billed, each)
    return {**row, "component": component} if component else row


def _untaken(slug: str, components: Sequence[Component], billed: Period, each: Usage) -> Row | None:
    """Usage that no component takes, in a row of its own, of which rating says that nothing prices it."""
    is_taken = any(matching.matches(component.where, each.dimensions) for component in components)
    return None if is_taken else _row(slug, billed, each)
