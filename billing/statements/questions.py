"""What statements ask the usage door, and how many of them are answered by one question.

Where a meter's quantities can be told apart by subject, the subjects of many subscriptions are asked for at
once, and each gets what it would have got alone.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from billing.statements.payers import Span
from metering import usage
from metering.documents.meter import RESERVED_DIMENSION
from metering.models import MeterVersion
from metering.periods import Period
from metering.usage import Quantities, Usage, Windows

# Of one SQL statement. By the quarter hour a subject has up to 2,976 rows a month and combination.
SUBJECTS_MAX = 500
SUBJECTS_BY_QUARTER_MAX = 20

Only = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Carried:
    """From when on a meter that carries over is read: before ``period``, and not before ``since``."""

    period: Period
    since: datetime | None


@dataclass(frozen=True)
class Question:
    """What one subscription needs of a meter; see `usage.quantities`. There is at least one span."""

    version: MeterVersion
    spans: Sequence[Span]
    by: tuple[str, ...] = ()
    only: Only = ()
    windows: Windows | None = None
    carried: Carried | None = None

    @property
    def subjects(self) -> frozenset[str]:
        """Whose usage is asked for."""
        return frozenset(subject for subject, _ in self.spans)

    @property
    def can_be_shared(self) -> bool:
        """Whether its answer can be put together from those of its subjects."""
        adds_up = usage.definition(self.version).additive
        return adds_up or RESERVED_DIMENSION in self.by or len(self.subjects) == 1

    @property
    def company(self) -> Hashable:
        """Equal for questions that one statement can answer: windows then cover months that lie together."""
        start = min(period.start for _, period in self.spans)
        month = (start.year, start.month) if self.windows else None
        return self.version.pk, self.by, self.only, self.windows, self.carried, month


def answers(questions: Sequence[Question]) -> list[Quantities]:
    """The answer to each question, the same as if it were asked alone, with as few statements as possible.

    Raises what `usage.quantities` raises.
    """
    found: dict[int, Quantities] = {}
    shared = {place: each for place, each in enumerate(questions) if each.can_be_shared}
    for place, question in enumerate(questions):
        if place not in shared:
            found[place] = _asked(question)
    for places in together({place: (each.company, each) for place, each in shared.items()}):
        found |= _dealt({place: questions[place] for place in places})
    return [found[place] for place in range(len(questions))]


@dataclass
class _Batch:
    subjects: set[str] = field(default_factory=set)
    places: list[int] = field(default_factory=list)


def together(questions: Mapping[int, tuple[Hashable, Question]]) -> Iterator[list[int]]:
    """The places of questions that one statement answers: of one company, and no subject in two of them."""
    waiting: dict[Hashable, list[_Batch]] = {}
    full: list[_Batch] = []
    for place, (company, question) in questions.items():
        is_quartered = question.windows is not None and question.windows.unit == "QUARTER"
        most = SUBJECTS_BY_QUARTER_MAX if is_quartered else SUBJECTS_MAX
        subjects, batches = question.subjects, waiting.setdefault(company, [])
        fitting = (each for each in batches if each.subjects.isdisjoint(subjects))
        batch = next((each for each in fitting if len(each.subjects) + len(subjects) <= most), None)
        if batch is None:
            batches.append(batch := _Batch())
        batch.subjects |= subjects
        batch.places.append(place)
        if len(batch.subjects) >= most:
            batches.remove(batch)
            full.append(batch)
    for batch in [*full, *(each for batches in waiting.values() for each in batches)]:
        yield batch.places


def _asked(question: Question) -> Quantities:
    carried = question.carried
    return usage.quantities(
        meter=question.version,
        spans=question.spans,
        by=question.by,
        only=dict(question.only),
        windows=question.windows,
        billing_period=None if carried is None else carried.period,
        carried_from=None if carried is None else carried.since,
    )


def _dealt(questions: Mapping[int, Question]) -> dict[int, Quantities]:
    """The answers by place: one statement for all subjects, whose rows go to whoever asked for them."""
    if len(questions) == 1:
        return {place: _asked(question) for place, question in questions.items()}
    one = next(iter(questions.values()))
    by = one.by if RESERVED_DIMENSION in one.by else (*one.by, RESERVED_DIMENSION)
    spans = [span for question in questions.values() for span in question.spans]
    whole = _asked(replace(one, spans=spans, by=by))
    asker = {subject: place for place, question in questions.items() for subject in question.subjects}
    rows: dict[int, list[Usage]] = {place: [] for place in questions}
    for row in whole.rows:
        rows[asker[row.dimensions[RESERVED_DIMENSION]]].append(row)
    revisions: dict[int, dict[str, int]] = {place: {} for place in questions}
    for key, revision in whole.revisions.items():
        revisions[asker[key.rpartition("|")[0]]][key] = revision
    return {place: Quantities(_merged(rows[place], one.by), revisions[place]) for place in questions}


def _merged(rows: Sequence[Usage], by: Collection[str]) -> tuple[Usage, ...]:
    """The rows by these dimensions alone; those of several subjects are added up. Their order stays."""
    if RESERVED_DIMENSION in by:
        return tuple(rows)
    sums: dict[tuple[Period | None, tuple[tuple[str, str], ...]], tuple[Fraction, int]] = {}
    for row in rows:
        key = row.window, tuple((name, row.dimensions[name]) for name in by)
        quantity, count = sums.get(key, (Fraction(0), 0))
        sums[key] = quantity + row.quantity, count + row.count
    return tuple(
        Usage(dict(dimensions), window, quantity, count)
        for (window, dimensions), (quantity, count) in sums.items()
    )
