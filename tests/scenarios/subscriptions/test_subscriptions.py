"""The life of subscriptions in plain text: every file beside this one happens in a database, and must cost
what its text works out by hand.

A scenario is a title, a story, and two parts. `Happens` holds, in YAML, the plans and the steps in order of
time; a step has an instant and one verb (see `Story`). `Due` says what every piece of every subscription that
ended by `until` costs: a heading with the subscription's key and the piece's dates (or instants), and below
it a line for each amount, as in the scenarios of rating: a name, a colon, the sum as a person would write it,
and after the last "=" the amount. What was billed in advance has a heading of its own, with "in advance" at
its end.
"""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import publishing, statements, subscribing, timelines
from billing.models import Customer, Plan, Subscription
from billing.rating import Billed
from metering.documents import load_text
from metering.models import EventKey
from metering.periods import format_instant, parse_instant
from tests.scenarios.rating import test_scenarios as rating_scenarios
from tests.world import catalog, events, meters

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))


class Story:
    """Steps that happen to customers and their subscriptions. A method is a verb of the scenarios."""

    def __init__(self) -> None:
        self.found: dict[str, list[tuple[str, str]]] = {}
        self._advances: dict[tuple[str, datetime], list[Billed]] = {}

    def happen(self, step: dict[str, Any]) -> None:
        at = instant(step.pop("at"))
        ((verb, values),) = step.items()
        getattr(self, verb)(at, **values)

    def customer(self, at: datetime, **values: str) -> None:
        catalog.customer(values.pop("key"), **values)

    def publish(self, at: datetime, **document: Any) -> None:
        publishing.apply(document=document, at=at)

    def subscribe(self, at: datetime, customer: str, plan: str, key: str, **values: Any) -> None:
        for name in ("end_at", "trial_end_at"):
            values[name] = instant(values[name]) if name in values else None
        if "anchor_date" in values:
            values["anchor_date"] = date.fromisoformat(values["anchor_date"])
        payer = Customer.objects.get(key=customer)
        subscribing.subscribe(
            customer=payer, plan=Plan.objects.get(code=plan), key=key, start_at=at, at=at, **values
        )

    def pay(self, at: datetime, customer: str, subject: str, subscription: str = "") -> None:
        subscribing.assign_subject(
            customer=Customer.objects.get(key=customer),
            subject=subject,
            validity=DateTimeTZRange(at, None),
            subscription=of_key(subscription) if subscription else None,
        )

    def move(self, at: datetime, subject: str, to: str) -> None:
        subscribing.move_subject(subject=subject, customer=Customer.objects.get(key=to), effective_at=at)

    def merge(self, at: datetime, customer: str, into: str) -> None:
        found = [Customer.objects.get(key=key) for key in (customer, into)]
        subscribing.merge(customer=found[0], into=found[1], effective_at=at)

    def use(self, at: datetime, subject: str, tokens: str) -> None:
        number = EventKey.objects.count()
        events.store([events.event(number, at, {"tokens": tokens}, subject=subject)])

    def change_plan(self, at: datetime, subscription: str, plan: str, when: str = "now") -> None:
        subscribing.change_plan(
            subscription=of_key(subscription),
            plan=Plan.objects.get(code=plan),
            effective_at=effective(subscription, at, when),
        )

    def change_quantity(self, at: datetime, subscription: str, component: str, quantity: str) -> None:
        subscribing.change_quantity(
            subscription=of_key(subscription), component=component, quantity=quantity, effective_at=at
        )

    def cancel(self, at: datetime, subscription: str, when: str = "now") -> None:
        subscribing.cancel(subscription=of_key(subscription), end_at=effective(subscription, at, when))

    def pause(self, at: datetime, subscription: str) -> None:
        subscribing.pause(subscription=of_key(subscription), effective_at=at)

    def resume(self, at: datetime, subscription: str) -> None:
        subscribing.resume(subscription=of_key(subscription), effective_at=at)

    def change_timezone(self, at: datetime, customer: str, timezone: str) -> None:
        subscribing.change_timezone(customer=Customer.objects.get(key=customer), timezone=timezone, at=at)

    def change_anchor(self, at: datetime, subscription: str, anchor_date: str) -> None:
        subscribing.change_anchor(
            subscription=of_key(subscription), anchor_date=date.fromisoformat(anchor_date), at=at
        )

    def bill_in_advance(self, at: datetime, subscription: str) -> None:
        """What is due at the start of a piece for its fees in advance; what is due later is less that."""
        found = of_key(subscription)
        piece = statements.piece_holding(subscription=found, at=at)
        assert piece.billed.start == at
        rated = statements.of(
            subscription=found, piece=piece, as_of=at, is_final=True, part="ADVANCE"
        ).statement
        self._advances[found.key, at] = [
            Billed(line.component, line.group, line.dimensions, line.kind, line.amount)
            for line in rated.lines
        ]
        self.found[f"{heading(found, piece)} in advance"] = rating_scenarios.named(rated.answer())

    def close(self, until: datetime) -> None:
        """Closes every piece that ended by then."""
        for found in Subscription.objects.order_by("key"):
            for piece in timelines.of(found).pieces_from(found.start_at):
                if piece.billed.end > until:
                    break
                rated = statements.of(
                    subscription=found,
                    piece=piece,
                    as_of=until,
                    is_final=True,
                    billed=self._advances.get((found.key, piece.billed.start), []),
                ).statement
                self.found[heading(found, piece)] = rating_scenarios.named(rated.answer())


def of_key(key: str) -> Subscription:
    return Subscription.objects.get(key=key)


def effective(subscription: str, at: datetime, when: str) -> datetime:
    """Now, or at the end of the period."""
    if when == "now":
        return at
    assert when == "period_end"
    return subscribing.period_end(subscription=of_key(subscription), at=at)


def instant(text: str) -> datetime:
    """An instant, of which a bare date is the midnight in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if len(text) == 10 else parse_instant(text)


def written(at: datetime) -> str:
    return format_instant(at).removesuffix("T00:00:00Z")


def heading(subscription: Subscription, piece: statements.Piece) -> str:
    return f"{subscription.key} {written(piece.billed.start)} to {written(piece.billed.end)}"


def expected_of(text: str, part: str = "Due") -> dict[str, list[tuple[str, str]]]:
    """What a scenario says is due, by heading."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in rating_scenarios.part(text, part).splitlines():
        if re.match(r"    \S", line):
            rows = found.setdefault(line.strip(), [])
        elif line.strip():
            name, rest = line.strip().split(":", 1)
            rows.append((name, rest.rsplit("=", 1)[1].replace(",", "").strip()))
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
class TestScenario:
    def test_costs_what_its_text_works_out(self, path: Path):
        text = path.read_text()
        happens = load_text(rating_scenarios.part(text, "Happens"), f"{path.name}.yaml")
        meters.meter("tokens", "SUM", value="tokens", unit="token")
        for document in happens["plans"]:
            publishing.apply(document={"currency": "USD", **document}, at=catalog.LONG_AGO)
        story = Story()
        for step in happens["steps"]:
            story.happen(step)
        story.close(instant(happens["until"]))
        found = {name: [row for row in rows if row[0] != "subtotal"] for name, rows in story.found.items()}
        assert found == expected_of(text)


def test_there_are_scenarios():
    assert len(SCENARIOS) >= 16
