"""What is due of an invoiced piece of a period by usage as it is now, beyond what was billed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing import evidence, statements, timelines
from billing.invoicing import lines, standing
from billing.invoicing.due import ARREARS, Want
from billing.models import InvoiceLine, ServicePeriod, Subscription
from billing.rating import Statement
from billing.statements import OutsideSubscription, Rated, Request
from billing.timelines import Piece

ADJUSTMENT = "adjustment"


@dataclass(frozen=True)
class Adjustment:
    """A piece of a period rated once more: ``rated`` holds the differences to what was billed.

    ``against``: the rows that carry what was billed, those in advance that the piece settles before those in
    arrears, in order.
    """

    subscription: Subscription
    piece: Piece
    rated: Rated
    against: Sequence[ServicePeriod]

    @property
    def statement(self) -> Statement:
        """The differences."""
        return self.rated.statement

    @property
    def net(self) -> Decimal:
        """What is due more, before tax; negative where less is due than was billed."""
        return self.rated.statement.total

    def fill(self, row: ServicePeriod) -> list[InvoiceLine]:
        """Sets what a row of adjustments says, without saving, and answers its lines."""
        packed, answer = evidence.pack(self.rated.rating_input), self.statement.answer()
        row.rating_input, row.rating_sha256 = packed.content, packed.sha256
        row.revisions = self.rated.revisions
        row.subtotal, row.total = self.statement.subtotal, self.statement.total
        row.discounts, row.unbilled = answer["discounts"], answer["unbilled"]
        found = of_statement(self.statement)
        for line in found:
            line.service_period = row
        return found


def of(*, subscription: Subscription, start_at: datetime, at: datetime, without: Sequence[int]) -> Adjustment:
    """The piece that begins at the instant, rated from usage at ``at`` against what stands on invoices.

    ``without``: ids of rows that do not count as billed, such as an adjustment that is pending. One of
    `statements.REFUSALS` is raised where the piece cannot be rated.
    """
    pieces = timelines.of(subscription).pieces(start_at)
    wants = [Want(subscription, piece, ARREARS) for piece in pieces]
    want = next((each for each in wants if each.piece.billed.start == start_at), None)
    if want is None:
        raise OutsideSubscription(
            f"{subscription.key} has no piece that begins at {start_at:%Y-%m-%d %H:%M} UTC any more."
        )
    stands = standing.read(wants=wants, without=without)
    request = Request(
        subscription, want.piece, as_of=at, is_final=True, part=ARREARS, billed=stands.settled(want)
    )
    (outcome,) = statements.of_many([request])
    if isinstance(outcome, Exception):
        raise outcome
    return Adjustment(subscription, want.piece, outcome, stands.rows(want))


def of_statement(statement: Statement) -> list[InvoiceLine]:
    """The lines of adjustments for a statement of differences: those that change something, in its order."""
    found = [line for line in lines.of(statement) if line.amount]
    for position, line in enumerate(found, start=1):
        line.position, line.kind, line.adjusts = position, ADJUSTMENT, line.kind
    return found
