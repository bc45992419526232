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

ADVANCE, ARREARS = "ADVANCE", "ARREARS"


@dataclass(frozen=True, slots=True)
class Span:
    """A segment inside the billed period. `share` is of the whole service period, `share_of_billed` of the
    billed one less its pauses.
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
    spans in order, which leave out the pauses.

    `part`: ADVANCE for fees in advance alone, ARREARS for the rest, None for both.
    """

    period: Period
    billed: Period
    read_until: datetime
    spans: tuple[Span, ...]
    digits: int
    timezone: str
    is_final: bool
    pauses: tuple[Period, ...] = ()
    is_trial: bool = False
    part: str | None = None

    @property
    def share(self) -> Fraction:
        """The share of the service period that is billed, without pauses."""
        return sum((span.share for span in self.spans), Fraction(0))

    @property
    def is_ahead(self) -> bool:
        """Whether only fees in advance are asked for: the period has not begun, nothing bounds them yet."""
        return self.part == ADVANCE

    @property
    def has_minimums(self) -> bool:
        """Whether minimums are due: at the end of a period that is paid for."""
        return self.is_final and not self.is_trial and not self.is_ahead

    @property
    def last(self) -> PlanDocument:
        """The last version, which decides the structure."""
        return self.spans[-1].plan

    def span_at(self, at: datetime) -> Span:
        """The span that holds an instant of the billed period; of a pause, the one after it."""
        return next(span for span in self.spans if at < span.period.end)

    def is_paused(self, at: datetime, until: datetime | None = None) -> bool:
        """Whether the instant, or any instant before `until`, lies in a pause."""
        return any(
            pause.contains(at) or (until is not None and at < pause.start < until) for pause in self.pauses
        )


def spans_of(
    segments: Sequence[Segment], period: Period, billed: Period, pauses: Sequence[Period] = ()
) -> tuple[Span, ...]:
    """The segments cut to the billed period. Raises DocumentError unless they cover it, in order, without
    overlap, and without any gap but the pauses.
    """
    if billed.is_empty or not period.covers(billed):
        raise DocumentError(
            "period", "the billed period must lie inside the period, and not be empty", "billed_period"
        )
    spans: list[Span] = []
    reached = billed.start
    resting = {pause.start: pause for pause in pauses}
    charged = billed.microseconds - sum(pause.microseconds for pause in pauses)
    for segment in segments:
        inside = Period(segment.start, segment.end).intersect(billed)
        if inside is None:
            continue
        if reached in resting:
            reached = resting.pop(reached).end
        if inside.start != reached:
            raise invalid("segments must follow each other without gap or overlap", "segments")
        reached = inside.end
        share_of_billed = Fraction(inside.microseconds, charged)
        spans.append(
            Span(
                place=len(spans),
                plan=segment.plan,
                version=segment.version,
                period=inside,
                share=inside.share_of(period),
                share_of_billed=share_of_billed,
            )
        )
    if not spans or resting or reached != billed.end:
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
