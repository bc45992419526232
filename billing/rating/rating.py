"""The one function that prices usage: quotes, previews, invoices and a second rating of the past all call
it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from billing.documents import currencies
from billing.rating import frame, structure, takes, totals
from billing.rating.inputs import Billed, MeterFacts, Segment, UsageRow
from billing.rating.statement import Statement
from metering import numbers
from metering.periods import Period


@numbers.exact()
def rate(
    *,
    segments: Sequence[Segment],
    period: Period,
    billed_period: Period | None = None,
    usage: Sequence[UsageRow],
    meters: Mapping[str, MeterFacts],
    timezone: str = "UTC",
    billed: Sequence[Billed] = (),
    as_of: datetime | None = None,
    is_final: bool = True,
    pauses: Sequence[Period] = (),
    is_trial: bool = False,
    part: str | None = None,
) -> Statement:
    """What is due for the billed part of a service period, with every line explained.

    `segments`: the versions in force, in order; they cover the billed period. `usage`: rows inside it, read
    up to `as_of`; a meter that does not add up has one row for each combination of dimensions that a
    component tells apart, for the whole billed period. `timezone`: of DAY and HOUR allowances. `billed`: what
    earlier invoices of the same service period carry: lines are due less that. While not `is_final`, minimums
    and fixed fees in arrears are left out.

    `pauses`: gaps between segments, inside the billed period, that hold no usage and are not paid for; tiers
    go on counting after them. `is_trial`: neither fees nor minimums are due, and a line of kind trial takes
    back everything else. `part`: ADVANCE for the fees in advance alone, ARREARS for the rest, with the fees
    in advance only where they differ from what was `billed`; None for both. Raises DocumentError, with the
    field of the request that is wrong.
    """
    of_billed = billed_period or period
    spans = frame.spans_of(segments, period, of_billed, pauses)
    rated = frame.Frame(
        period=period,
        billed=of_billed,
        read_until=of_billed.end if as_of is None else max(of_billed.start, min(of_billed.end, as_of)),
        spans=spans,
        digits=currencies.digits(spans[-1].plan.currency),
        timezone=timezone,
        is_final=is_final,
        pauses=tuple(pauses),
        is_trial=is_trial,
        part=part,
    )
    rows = takes.checked(usage, rated)
    unbilled = takes.check_taken(rows, rated, meters)
    return totals.statement_of(structure.lines_of(rows, rated, meters), rated, billed, unbilled)
