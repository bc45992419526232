"""What is due for a subscription and a part of its billing period: usage read, and rated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import evidence, versions
from billing.models import ServicePeriod, Subscription
from billing.rating import Billed, Statement
from billing.statements import reading, unpriced
from billing.statements.contracts import Contracts
from billing.statements.phases import StatementRefused, Stretch
from billing.timelines import Piece
from metering.documents import DocumentError
from metering.periods import format_instant

# What keeps one statement from being made and nobody else's: somebody has to change a plan, a subscription
# or a subject.
REFUSALS = (DocumentError, StatementRefused, versions.PlanNotInForce)


@dataclass(frozen=True)
class Request:
    """Which statement is wanted: of a piece of a billing period, from usage up to ``as_of``.

    ``is_final``: the period is closed with this; without it minimums and fees in arrears are left out.
    ``part``: a value of ServicePeriod.Part. ``billed``: lines of earlier invoices of the same service period.
    """

    subscription: Subscription
    piece: Piece
    as_of: datetime
    is_final: bool
    part: str = ServicePeriod.Part.ARREARS
    billed: Sequence[Billed] = ()


@dataclass(frozen=True)
class Rated:
    """A statement, the rating input it was computed from (`evidence`), and the usage counters at that time.

    ``revisions``: by the meter version's id (as text), then by "subject|YYYY-MM".
    """

    statement: Statement
    rating_input: dict[str, Any]
    revisions: dict[str, dict[str, int]]


def of(
    *,
    subscription: Subscription,
    piece: Piece,
    as_of: datetime,
    is_final: bool,
    part: str = ServicePeriod.Part.ARREARS,
    billed: Sequence[Billed] = (),
) -> Rated:
    """What is due for a piece of a billing period of the subscription, see `Request`.

    Raises DocumentError as rating does (``unpriced``: usage that no component takes), a StatementRefused, or
    versions.PlanNotInForce.
    """
    (outcome,) = of_many([Request(subscription, piece, as_of, is_final, part, billed)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def of_many(requests: Sequence[Request]) -> list[Rated | Exception]:
    """The statement of each request, or the one of `REFUSALS` that stands in its way, in their order.

    Contracts and usage of all are read together, with a number of SQL statements that does not grow with
    theirs. Requests should be of a few hundred at most, for the sake of memory.
    """
    if not requests:
        return []
    contracts = Contracts([(request.subscription, request.piece) for request in requests])
    prepared = [_prepared(request, contracts) for request in requests]
    wants = [each.want for each in prepared if isinstance(each, _Prepared)]
    readings = iter(reading.read(wants))
    return [_rated(each, next(readings)) if isinstance(each, _Prepared) else each for each in prepared]


@dataclass(frozen=True)
class _Prepared:
    """A request with what is agreed, before usage is read."""

    request: Request
    stretches: Sequence[Stretch]
    want: reading.Want
    timezone: str


def _prepared(request: Request, contracts: Contracts) -> _Prepared | Exception:
    subscription, piece = request.subscription, request.piece
    try:
        stretches = contracts.stretches(subscription=subscription, piece=piece)
        is_counted = request.part != ServicePeriod.Part.ADVANCE
        meters = contracts.meters(stretches, request.as_of) if is_counted else {}
        spans = contracts.spans(subscription=subscription, piece=piece, meters=list(meters))
    except REFUSALS as error:
        return error
    want = reading.Want(
        spans, stretches, meters, piece.billed, request.as_of, started_at=subscription.start_at
    )
    return _Prepared(request, stretches, want, contracts.timezone(subscription=subscription, piece=piece))


def _rated(prepared: _Prepared, read: reading.Reading | StatementRefused) -> Rated | Exception:
    if isinstance(read, StatementRefused):
        return read
    request, piece = prepared.request, prepared.request.piece
    rating_input = {
        "version": evidence.LAYOUT,
        "period": evidence.written_period(piece.period),
        "billed_period": evidence.written_period(piece.billed),
        "pauses": [evidence.written_period(pause) for pause in piece.pauses],
        "is_trial": piece.is_trial,
        "part": str(request.part),
        "timezone": prepared.timezone,
        "as_of": format_instant(request.as_of),
        "is_final": request.is_final,
        "segments": [_segment(stretch) for stretch in prepared.stretches],
        "meters": [
            {"slug": slug, "version": version.number, "document": version.document}
            for slug, version in prepared.want.meters.items()
        ],
        "spans": read.spans,
        "usage": read.rows,
        "billed": [evidence.written_billed(each) for each in request.billed],
    }
    try:
        return Rated(evidence.rate(rating_input), rating_input, read.revisions)
    except DocumentError as error:
        return unpriced.told(error, rows=read.rows)


def _segment(stretch: Stretch) -> dict[str, Any]:
    return {
        **evidence.written_period(stretch.period),
        "plan": stretch.plan.code,
        "version": stretch.version.number,
        "document": versions.rated_document(stretch.version),
        "overrides": stretch.overrides,
    }
