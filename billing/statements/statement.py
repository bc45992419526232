"""What is due for a subscription and a part of its billing period: usage read, and rated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import evidence, versions
from billing.models import ServicePeriod, Subscription
from billing.rating import Billed, Statement
from billing.statements import phases, reading
from billing.statements.payers import Payer
from billing.statements.phases import Piece, StatementRefused, Stretch
from metering import usage
from metering.documents import DocumentError
from metering.models import MeterVersion
from metering.periods import format_instant

# What keeps one statement from being made and nobody else's: somebody has to change a plan, a subscription
# or a subject.
REFUSALS = (DocumentError, StatementRefused, versions.PlanNotInForce)


class MeterMissing(StatementRefused):
    """The plan prices a meter that does not count at the time of the statement."""


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
    """The statement of each request, or the one of `REFUSALS` that stands in its way, in their order."""
    return [_outcome(request) for request in requests]


def _outcome(request: Request) -> Rated | Exception:
    try:
        return _rated(request)
    except REFUSALS as error:
        return error


def _rated(request: Request) -> Rated:
    subscription, piece = request.subscription, request.piece
    stretches = phases.stretches(subscription=subscription, period=piece.billed)
    meters = _meters(stretches, request.as_of)
    payer = Payer(subscription=subscription, period=piece.billed)
    spans = {slug: payer.spans(slug) for slug in meters}
    (read,) = reading.read([reading.Want(spans, stretches, meters, piece.billed, request.as_of)])
    rating_input = {
        "version": evidence.LAYOUT,
        "period": evidence.written_period(piece.period),
        "billed_period": evidence.written_period(piece.billed),
        "timezone": subscription.timezone,
        "as_of": format_instant(request.as_of),
        "is_final": request.is_final,
        "segments": [_segment(stretch) for stretch in stretches],
        "meters": [
            {"slug": slug, "version": version.number, "document": version.document}
            for slug, version in meters.items()
        ],
        "spans": read.spans,
        "usage": read.rows,
        "billed": [evidence.written_billed(each) for each in request.billed],
    }
    return Rated(evidence.rate(rating_input), rating_input, read.revisions)


def _meters(stretches: Sequence[Stretch], as_of: datetime) -> Mapping[str, MeterVersion]:
    slugs = sorted(frozenset().union(*(stretch.plan.meters() for stretch in stretches)))
    found = usage.versions(at=as_of, slugs=slugs, is_archived_too=True)
    for slug in slugs:
        if slug not in found:
            raise MeterMissing(f"The meter {slug} does not count at {as_of:%Y-%m-%d %H:%M} UTC.")
    return {slug: found[slug] for slug in slugs}


def _segment(stretch: Stretch) -> dict[str, Any]:
    return {
        **evidence.written_period(stretch.period),
        "plan": stretch.plan.code,
        "version": stretch.version.number,
        "document": versions.rated_document(stretch.version),
        "overrides": stretch.overrides,
    }
