"""The stretch of time that is rated, and the version of the plan in force at each of its instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from billing.documents.nodes import PlanDocument
from billing.rating.inputs import Segment
from metering.documents.errors import DocumentError, invalid
from metering.periods import Period


@dataclass(frozen=True, slots=True)
class Span:
    """A segment inside the billed period. `share` is of the whole service period, `share_of_billed` of the
    billed one.
    """

    place: int
    plan: PlanDocument
    version: str
    period: Period
    share: Fraction
    share_of_billed: Fraction


@dataclass(frozen=True, slots=True)
class Frame:
    """What is rated: the service period, the part of it that is billed, how far usage is read, and the
    spans in order.
    """

    period: Period
    billed: Period
    read_until: datetime
    spans: tuple[Span, ...]
    digits: int
    timezone: str
    is_final: bool

    @property
    def last(self) -> PlanDocument:
        """The last version, which decides the structure."""
        return self.spans[-1].plan

    def span_at(self, at: datetime) -> Span:
        """The span that holds an instant of the billed period."""
        return next(span for span in self.spans if span.period.contains(at))


def spans_of(segments: Sequence[Segment], period: Period, billed: Period) -> tuple[Span, ...]:
    """The segments cut to the billed period. Raises DocumentError unless they cover it, in order, without
    gap or overlap.
    """
    if billed.is_empty or not period.covers(billed):
        raise DocumentError(
            "period", "the billed period must lie inside the period, and not be empty", "billed_period"
        )
    spans: list[Span] = []
    reached = billed.start
    for segment in segments:
        inside = Period(segment.start, segment.end).intersect(billed)
        if inside is None:
            continue
        if inside.start != reached:
            raise invalid("segments must follow each other without gap or overlap", "segments")
        reached = inside.end
        place = len(spans)
        spans.append(
            Span(
                place, segment.plan, segment.version, inside, inside.share_of(period), inside.share_of(billed)
            )
        )
    if not spans or reached != billed.end:
        raise invalid("segments must cover the billed period from its start to its end", "segments")
    currencies = {span.plan.currency for span in spans}
    if len(currencies) > 1:
        raise DocumentError("currency", f"segments are in {' and '.join(sorted(currencies))}", "segments")
    return tuple(spans)


def prorated(values: Sequence[tuple[Span, Decimal]], *, prorate: bool = True) -> Fraction:
    """The sum of each version's value times its share of the period; not prorated, the first version's
    value.
    """
    if not prorate:
        return Fraction(values[0][1])
    return sum((span.share * Fraction(value) for span, value in values), Fraction(0))
