"""What all measurements have in common: a row of the table, what it measured, the run it is part of."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.databases import Database


class MeasurementWrong(Exception):
    """What was measured did not do its work, so that its speed says nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything a run measures. ``stored_events``: in the large database, 0 for none."""

    rounds: int
    door_events: int
    door_seconds: int
    memory_batches: int
    rolled_events: int
    statements: int
    invoices: int
    stored_events: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the measurements: how much, and on which servers.

    ``given_url`` names the server, and a database on it that is left alone. ``database`` is emptied by every
    row; ``broker_url`` is a Redis database of this run alone.
    """

    size: Size
    given_url: str
    database: Database
    broker_url: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a row measured: pairs of figure and baseline in the row's unit, measured in turn, a pair a round.

    ``notes``: what else a reader should know, one sentence each.
    """

    rounds: Sequence[tuple[float, float]]
    notes: Sequence[str] = ()

    @property
    def figure(self) -> float:
        return statistics.median(figure for figure, _ in self.rounds)

    @property
    def baseline(self) -> float:
        return statistics.median(baseline for _, baseline in self.rounds)


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. ``name`` is what ``--only`` takes, ``against`` names the baseline.

    ``least``: what the ratio must reach; None where the figure is only shown. ``is_less_better``: the unit
    is one of time or space; the ratio is then baseline by figure, so that more is always better.
    """

    name: str
    title: str
    unit: str
    against: str
    least: float | None
    run: Callable[[Run], Result]
    is_less_better: bool = False
    is_large: bool = False

    def ratio(self, result: Result) -> float:
        """The median of the rounds' ratios: figure and baseline of a round had the same moment."""
        return statistics.median(
            baseline / figure if self.is_less_better else figure / baseline
            for figure, baseline in result.rounds
        )

    def has_passed(self, result: Result) -> bool:
        """Whether the ratio reaches its least; true where there is none."""
        return self.least is None or self.ratio(result) >= self.least
