"""Single events for prices that look at each: those of many subscriptions, read together and dealt out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing import evidence, rating
from billing.documents import prices
from billing.documents.nodes import Component
from billing.documents.prices import Dynamic, Percentage
from billing.statements import questions
from billing.statements.phases import StatementRefused
from billing.statements.questions import Question
from metering import usage
from metering.periods import format_instant

# Of one statement, whose rating input keeps them all.
EVENTS_MAX = 100_000

Row = dict[str, Any]


class EventsTooMany(StatementRefused):
    """A price looks at more single events of one subscription and period than an invoice can keep."""


@dataclass(frozen=True)
class Needed:
    """The events of a question that prices look at, with what stands at the paths of their data."""

    question: Question
    slug: str
    paths: tuple[str, ...]


def needed(question: Question, slug: str, components: Sequence[Component]) -> Needed | None:
    """The single events that the components' prices look at; None where none of them does."""
    looking = [each.price for each in components if rating.needs_events(each)]
    if not looking:
        return None
    paths = {price.amount for price in looking if isinstance(price, Dynamic)}
    for price in looking:
        assert isinstance(price, Percentage | Dynamic)  # these are the prices that need events
        if price.amount_currency is not None and not prices.is_currency(price.amount_currency):
            paths.add(price.amount_currency)
    return Needed(question, slug, tuple(sorted(paths)))


def read(wanted: Sequence[tuple[int, Needed | None]]) -> list[list[Row] | StatementRefused | None]:
    """The rows of each, in the order of events, or None where none are needed.

    Each comes with the number of the statement that it is for. One statement with more than `EVENTS_MAX`
    events is a refusal, instead of rows; the others are not kept from theirs.
    """
    asked = {place: each for place, (_, each) in enumerate(wanted) if each is not None}
    rows: list[list[Row] | StatementRefused | None] = [None] * len(wanted)
    counts: dict[int, int] = {}
    companies = {place: ((each.question.company, each.paths), each.question) for place, each in asked.items()}
    for places in questions.together(companies):
        for place in places:
            rows[place] = []
        one = asked[places[0]]
        asker = {subject: place for place in places for subject in asked[place].question.subjects}
        spans = [span for place in places for span in asked[place].question.spans]
        for event in usage.single_events.stream(
            meter=one.question.version, spans=spans, only=dict(one.question.only), paths=one.paths
        ):
            place = asker[event.subject]
            statement = wanted[place][0]
            counts[statement] = counts.get(statement, 0) + 1
            kept = rows[place]
            if counts[statement] > EVENTS_MAX:
                rows[place] = _too_many(one.slug)
            elif isinstance(kept, list):
                kept.append(_row(asked[place], event))
    return rows


def _too_many(slug: str) -> EventsTooMany:
    return EventsTooMany(
        f"There are more than {EVENTS_MAX:,} events of {slug} in this period, and its price looks at each of "
        "them: bill it by a shorter interval, or by a price for a quantity."
    )


def _row(needed: Needed, event: usage.single_events.SingleEvent) -> Row:
    row: Row = {
        "meter": needed.slug,
        "quantity": evidence.written_quantity(event.quantity),
        "at": format_instant(event.time),
        "dimensions": {name: event.dimensions[name] for name in needed.question.by},
        "count": 1,
        "source": event.source,
        "id": event.id,
    }
    return {**row, "data": _plain(event.data)} if needed.paths else row


def _plain(value: Any) -> Any:
    """The value with its decimals as texts: a rating input is JSON without floats."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Decimal) else value
