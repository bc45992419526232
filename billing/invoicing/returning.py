"""Gives back what was billed of a piece of a period beyond what is due, by credit notes for its invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from billing.invoicing import adjustments, billed, crediting, drafting, paying
from billing.invoicing.adjustments import Adjustment
from billing.invoicing.crediting import Entry
from billing.invoicing.due import ARREARS
from billing.models import CreditNote, CreditNoteLine, Invoice, ServicePeriod
from billing.rating.statement import PLAN_DISCOUNT
from metering import numbers

REASON = "Less usage than was billed from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
GIVEN_BEFORE = "Given back before"
ZERO = Decimal(0)


class LessThanNothingDue(Exception):
    """More would go back than was ever charged for the period: a person has to look at it."""


@numbers.exact()
def give_back(*, adjustment: Adjustment, at: datetime) -> list[CreditNote]:
    """The credit notes for a piece of which less is due than was billed; its customer's lock is held.

    Against the latest of its invoices first, each up to what the piece put on it and what is left of it.
    Where a person has given back so much already that less is left than is due back, the rest counts as
    given: a line that says so makes up for it.
    """
    rows = [row for row in reversed(adjustment.against) if row.invoice.state != Invoice.State.DRAFT]
    shares, missing = _shared(rows, -adjustment.net)
    if not rows or missing > _gifts(rows):
        raise LessThanNothingDue(
            f"{adjustment.subscription.key}: {missing:f} more would go back than was charged for the period "
            f"from {adjustment.piece.billed.start:%Y-%m-%d}."
        )
    taken = [row for row in rows if row.pk in shares] or rows[:1]
    sums = [shares.get(row.pk, ZERO) for row in taken]
    parts = _dealt(_entries(adjustment), sums, missing)
    reason = REASON.format(start=adjustment.piece.billed.start, end=adjustment.piece.billed.end)
    return [
        crediting.issue(
            invoice=row.invoice,
            entries=[
                entry if entry.kind == crediting.GIFT else replace(entry, service_period=row)
                for entry in part
            ],
            reason=reason,
            at=at,
        )
        for row, part in zip(taken, parts, strict=True)
    ]


def give_back_below_zero(*, invoice: Invoice, at: datetime) -> None:
    """Brings a draft from below zero to zero: what is due less goes back of the invoices that charged it.

    So it is with a fee in advance whose subscription ended early. Where nothing was charged before, such as
    for usage with a negative price, the total stays below zero. The caller holds the draft's lock.
    """
    rows = ServicePeriod.objects.filter(invoice=invoice, part=ARREARS, sequence=1)
    for row in rows.select_related("subscription__customer").order_by("pk"):
        if row.total < 0:
            adjustment = adjustments.of(
                subscription=row.subscription, start_at=row.start_at, at=at, without=[row.pk]
            )
            with suppress(LessThanNothingDue):
                give_back(adjustment=adjustment, at=at)
    drafting.redraft(invoice=invoice, at=at)


def _shared(rows: Sequence[ServicePeriod], wanted: Decimal) -> tuple[dict[int, Decimal], Decimal]:
    """How much goes back of each row, by its id, and how much of it is left of none of their invoices.

    First of each row at most what it carries, then what else is left of its invoice.
    """
    left = {row.invoice_id: _left(row.invoice) for row in rows}
    shares: dict[int, Decimal] = {}
    for caps in (_carried(rows), dict.fromkeys((row.pk for row in rows), wanted)):
        for row in rows:
            taken = shares.get(row.pk, ZERO)
            share = min(wanted, caps[row.pk] - taken, left[row.invoice_id])
            if share > 0:
                shares[row.pk] = taken + share
                left[row.invoice_id] -= share
                wanted -= share
    return shares, wanted


def _left(invoice: Invoice) -> Decimal:
    return paying.above_zero(crediting.net(invoice) - crediting.credited_net(invoice))


def _gifts(rows: Sequence[ServicePeriod]) -> Decimal:
    """What persons gave back of the rows' invoices, whatever was due, and does not count as given yet."""
    of_invoices = {row.invoice_id for row in rows}
    lines = CreditNoteLine.objects.filter(credit_note__invoice__in=of_invoices, service_period=None)
    found: Decimal | None = lines.aggregate(sum=Sum("amount"))["sum"]
    return found or ZERO


def _carried(rows: Sequence[ServicePeriod]) -> Mapping[int, Decimal]:
    """What each row carries altogether, less what was given back of it."""
    found = billed.by_row(rows)
    return {row.pk: sum((each.amount for each in found[row.pk]), ZERO) for row in rows}


def _entries(adjustment: Adjustment) -> list[Entry]:
    """The differences with the sign of a credit note: positive gives back."""
    lines = [
        Entry(
            name=line.name,
            amount=-line.amount,
            kind=line.kind,
            component=line.component,
            group=line.group,
            dimensions=line.dimensions,
        )
        for line in adjustment.statement.lines
        if line.amount
    ]
    return lines + [
        Entry(name=each.name, amount=each.amount, kind=PLAN_DISCOUNT, component=str(place))
        for place, each in enumerate(adjustment.statement.discounts)
        if each.amount
    ]


def _dealt(entries: Sequence[Entry], sums: Sequence[Decimal], missing: Decimal) -> list[list[Entry]]:
    """The entries dealt to credit notes of these sums; the last one makes up for what is missing.

    What gives back is dealt in order, cut where a sum is reached; what takes back goes to the last one.
    """
    giving = [entry for entry in entries if entry.amount > 0]
    parts: list[list[Entry]] = []
    for wanted in sums[:-1]:
        part: list[Entry] = []
        while wanted > 0:
            entry = giving.pop(0)
            cut = min(entry.amount, wanted)
            part.append(replace(entry, amount=cut))
            wanted -= cut
            if cut < entry.amount:
                giving.insert(0, replace(entry, amount=entry.amount - cut))
        parts.append(part)
    last = giving + [entry for entry in entries if entry.amount < 0]
    return [*parts, last + ([Entry(name=GIVEN_BEFORE, amount=-missing)] if missing else [])]
