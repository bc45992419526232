"""What a draft made now would say otherwise than an invoice does: for a person who is about to correct it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.invoicing import drafting, parts, standing
from billing.models import Invoice, InvoiceLine, ServicePeriod

_Key = tuple[int, datetime, str, str, str, str, str]


@dataclass(frozen=True)
class Change:
    """A line of an invoice and of the draft that would be made now; None where one of them has none.

    ``subscription``: its key; ``start_at`` and ``part``: of the service period. ``name``: of the line.
    """

    subscription: str
    start_at: datetime
    part: str
    name: str
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True)
class Comparison:
    """What would change, and why the amounts of some period cannot be said at present."""

    changes: Sequence[Change]
    reasons: Sequence[str]


def of(*, invoice: Invoice, at: datetime) -> Comparison:
    """The invoice, in whatever state, against a draft for the same periods from usage and contracts of now.

    Nothing is written. Adjustments of earlier periods on the invoice are left out.
    """
    rows = [row for row in drafting.periods(invoices=[invoice]) if row.sequence == 1]
    wants = list(drafting.wanted_again(periods=rows))
    stands = standing.read(wants=wants, without=[row.pk for row in rows])
    found = parts.computed(wants=wants, standing=stands, at=at)
    before = dict(_amounts((row, row.lines.all()) for row in rows))
    after = dict(_amounts((part.service_period, part.lines) for part in found if not part.reason))
    unknown = {_period(part.service_period) for part in found if part.reason}
    keys = [*before, *(key for key in after if key not in before)]
    changes = [
        _change(before.get(key), after.get(key))
        for key in keys
        if key[:3] not in unknown and _amount(before.get(key)) != _amount(after.get(key))
    ]
    return Comparison(changes, [part.reason for part in found if part.reason])


@dataclass(frozen=True)
class _Amount:
    period: ServicePeriod
    name: str
    amount: Decimal


def _amounts(
    periods: Iterable[tuple[ServicePeriod, Iterable[InvoiceLine]]],
) -> Iterator[tuple[_Key, _Amount]]:
    for period, own in periods:
        for line in own:
            key = line.component or "", line.group or "", line.kind, str(sorted(line.dimensions.items()))
            yield (*_period(period), *key), _Amount(period, line.name, line.amount)
        for place, discount in enumerate(period.discounts):
            amount = Decimal(discount["amount"]).copy_negate()
            key = str(place), "", "plan_discount", ""
            yield (*_period(period), *key), _Amount(period, discount["name"], amount)


def _period(period: ServicePeriod) -> tuple[int, datetime, str]:
    return period.subscription_id, period.start_at, str(period.part)


def _amount(found: _Amount | None) -> Decimal:
    """Lines of 0 come and go with what a plan names: they change nothing."""
    return Decimal(0) if found is None else found.amount


def _change(before: _Amount | None, after: _Amount | None) -> Change:
    known = after or before
    assert known is not None
    return Change(
        subscription=known.period.subscription.key,
        start_at=known.period.start_at,
        part=str(known.period.part),
        name=known.name,
        before=None if before is None else before.amount,
        after=None if after is None else after.amount,
    )
