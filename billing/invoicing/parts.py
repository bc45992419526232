"""The parts of invoices before they are written: service periods with their lines, from statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from billing import evidence, statements
from billing.invoicing import lines
from billing.invoicing.due import ADVANCE, ARREARS, Want
from billing.invoicing.standing import Standing
from billing.models import InvoiceLine, ServicePeriod
from billing.statements import Rated, Request
from metering.documents import DocumentError

ZERO = Decimal(0)


@dataclass
class Part:
    """A service period and its lines, both not saved; ``reason``: why its amounts are not known."""

    service_period: ServicePeriod
    lines: list[InvoiceLine] = field(default_factory=list)
    reason: str = ""


def computed(*, wants: Sequence[Want], standing: Standing, at: datetime) -> list[Part]:
    """The wanted parts, in their order, from usage and contracts as they are at the instant.

    A part whose amounts cannot be said has no lines, and the reason. Fees in advance of which there are none
    are left out.
    """
    requests = [
        Request(
            subscription=want.subscription,
            piece=want.piece,
            as_of=at,
            is_final=want.part == ARREARS,
            part=want.part,
            billed=standing.billed(want),
        )
        for want in wants
    ]
    outcomes = statements.of_many(requests) if requests else []
    parts = [_part(want, outcome) for want, outcome in zip(wants, outcomes, strict=True)]
    return [each for each in parts if each.lines or each.reason or each.service_period.part != ADVANCE]


def _part(want: Want, outcome: Rated | Exception) -> Part:
    period = ServicePeriod(
        subscription=want.subscription,
        start_at=want.piece.billed.start,
        end_at=want.piece.billed.end,
        part=want.part,
        subtotal=ZERO,
        total=ZERO,
        rating_input=b"",
        rating_sha256="",
    )
    if isinstance(outcome, Exception):
        return Part(period, reason=_reason(want, outcome))
    statement = outcome.statement
    if statement.currency != want.subscription.customer.currency:
        key = want.subscription.key
        return Part(
            period,
            reason=f"{key}: its plan is in {statement.currency}, the customer pays in "
            f"{want.subscription.customer.currency}",
        )
    packed, answer = evidence.pack(outcome.rating_input), statement.answer()
    period.rating_input, period.rating_sha256 = packed.content, packed.sha256
    period.revisions = outcome.revisions
    period.subtotal, period.total = statement.subtotal, statement.total
    period.discounts, period.unbilled = answer["discounts"], answer["unbilled"]
    return Part(period, lines.of(statement))


def _reason(want: Want, error: Exception) -> str:
    # An unpriced row's place in the usage read says nothing to anybody, the values in the message do.
    is_unpriced = isinstance(error, DocumentError) and error.code == "unpriced"
    return f"{want.subscription.key}: {error.message if is_unpriced else error}"
