"""Writes drafts: what is due as far as is known, computed anew until it is finalized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from billing import statements, timelines
from billing.invoicing import locking, parts, pending, sheets, standing
from billing.invoicing.due import ADVANCE, ARREARS, Bill, Want
from billing.invoicing.parts import Part
from billing.invoicing.sheets import Sheet
from billing.models import Customer, Invoice, InvoiceLine, ServicePeriod, Subscription
from metering.periods import Period


class PeriodAlreadyInvoiced(Exception):
    """The subscription has an invoice or a draft for this period already."""


class PeriodNotEnded(Exception):
    """A period is invoiced once it is over."""


class InvoiceNotDraft(Exception):
    """Only a draft follows live usage, and only a draft can be discarded."""


@transaction.atomic
def draft(*, subscription: Subscription, period: Period, at: datetime) -> Invoice:
    """A new draft for a whole billing period of the subscription, which has ended, from usage as it is now.

    Where the amounts cannot be computed it has no lines, and says why in ``blocked_reason``. Raises
    PeriodAlreadyInvoiced, PeriodNotEnded and statements.OutsideSubscription.
    """
    locked = locking.subscription(subscription_id=subscription.pk)
    pieces = statements.pieces(subscription=locked, period=period)
    return new(customer=locked.customer, wants=[Want(locked, piece, ARREARS) for piece in pieces], at=at)


def new(
    *, customer: Customer, wants: Sequence[Want], at: datetime, replaces: Invoice | None = None
) -> Invoice:
    """A new draft for the wanted parts, all of them of a customer whose lock the caller holds.

    Raises PeriodAlreadyInvoiced and PeriodNotEnded.
    """
    stands = standing.read(wants=wants)
    for want in wants:
        _check_ended(want, at)
        _check_not_invoiced(want, stands)
    found = parts.computed(wants=wants, standing=stands, at=at)
    invoice = sheets.blank(customer)
    invoice.replaces = replaces
    _write([Sheet(invoice, customer, found)], at)
    return invoice


def write(*, bills: Sequence[Bill], at: datetime) -> list[Invoice]:
    """New drafts for the bills, in their order, with few SQL statements however many they are.

    What is invoiced already, such as by hand, is left out; a bill of which nothing is left has no draft. The
    caller holds the locks of the customers, subscriptions and plans. Raises PeriodNotEnded.
    """
    found = _computed([want for bill in bills for want in bill.wants], without=[], at=at)
    of_subscription: dict[int, list[Part]] = {}
    for part in found:
        of_subscription.setdefault(part.service_period.subscription_id, []).append(part)
    wanted = [
        Sheet(sheets.blank(bill.customer), bill.customer, own)
        for bill in bills
        if (own := [part for each in bill.subscriptions for part in of_subscription.get(each.pk, ())])
    ]
    return _write(wanted, at)


def redraft(*, invoice: Invoice, at: datetime) -> None:
    """Computes a draft anew. See `redraft_all`."""
    redraft_all(invoices=[invoice], at=at)


def redraft_all(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Computes drafts, whose locks the caller holds, anew from usage and contracts as they are now.

    They are of different customers: one draft of a customer may count on what another one bills. Fees in
    advance that were computed once stay: what changes them later is settled in arrears. Raises
    PeriodNotEnded.
    """
    assert len({invoice.customer_id for invoice in invoices}) == len(invoices)
    rows = [row for row in periods(invoices=invoices) if row.sequence == 1]
    kept = [row for row in rows if row.part == ADVANCE and row.rating_sha256]
    again = [row for row in rows if row not in kept]
    invoice_of = wanted_again(periods=again)
    found = _computed([*invoice_of], without=[row.pk for row in again], at=at)
    place = {
        (want.subscription.pk, want.piece.billed.start, want.part): pk for want, pk in invoice_of.items()
    }
    InvoiceLine.objects.filter(service_period__in=again).delete()
    _take_places(found, again)
    redrafted = [
        Sheet(
            invoice,
            invoice.customer,
            [part for part in found if place[_place(part.service_period)] == invoice.pk],
            [row for row in kept if row.invoice_id == invoice.pk],
        )
        for invoice in invoices
    ]
    complete = _with_adjustments(redrafted, standing_on=invoices, at=at)
    sheets.rewrite(sheets=complete, at=at)
    _take_along(complete)


def _take_places(found: Sequence[Part], again: Sequence[ServicePeriod]) -> None:
    """Has the new parts replace those of the same period, and deletes the others."""
    stored = {_place(row): row.pk for row in again}
    for part in found:
        part.service_period.pk = stored.pop(_place(part.service_period), None)
    ServicePeriod.objects.filter(pk__in=stored.values()).delete()


@transaction.atomic
def refresh(*, invoice: Invoice, at: datetime) -> Invoice:
    """The draft, computed anew from usage as it is now. Raises InvoiceNotDraft and PeriodNotEnded."""
    locked = _locked_draft(invoice)
    redraft(invoice=locked, at=at)
    return locked


@transaction.atomic
def discard(*, invoice: Invoice) -> None:
    """Deletes a draft, which has no number yet: its periods may be drafted anew. Raises InvoiceNotDraft."""
    locked = _locked_draft(invoice)
    pending.recheck(invoice=locked)
    InvoiceLine.objects.filter(service_period__invoice=locked).delete()
    ServicePeriod.objects.filter(invoice=locked).delete()
    locked.delete()


def periods(*, invoices: Sequence[Invoice]) -> list[ServicePeriod]:
    """The service periods of the invoices, each with its subscription and customer, in their order."""
    rows = ServicePeriod.objects.filter(invoice__in=[invoice.pk for invoice in invoices])
    return list(rows.select_related("subscription__customer").order_by("invoice_id", "pk"))


def wanted_again(*, periods: Sequence[ServicePeriod]) -> dict[Want, int]:
    """What the service periods would hold by the contracts of now, with the id of each one's invoice.

    Corrections of earlier periods are none of them.
    """
    own = [row for row in periods if row.sequence == 1]
    found: dict[Want, int] = {}
    of_subscription = timelines.of_many([row.subscription for row in own]) if own else {}
    for row in own:
        timeline = of_subscription[row.subscription_id]
        if row.part == ARREARS:
            pieces = timeline.pieces(row.start_at)
        else:
            piece = timeline.piece_holding(row.start_at)
            pieces = [] if piece is None else [piece]
        for piece in pieces:
            found.setdefault(Want(row.subscription, piece, row.part), row.invoice_id)
    return found


def _write(drafts: Sequence[Sheet], at: datetime) -> list[Invoice]:
    complete = _with_adjustments(drafts, standing_on=[], at=at)
    written = sheets.write(sheets=complete, at=at)
    _take_along(complete)
    return written


def _with_adjustments(
    drafts: Sequence[Sheet], *, standing_on: Sequence[Invoice], at: datetime
) -> list[Sheet]:
    """The drafts, with those adjustments of their customers that wait, or stand on one of them already."""
    customers = [sheet.customer for sheet in drafts]
    waiting = pending.refreshed(customers=customers, drafts=standing_on, at=at) if drafts else {}
    return [replace(sheet, kept=[*sheet.kept, *waiting.get(sheet.customer.pk, ())]) for sheet in drafts]


def _take_along(drafts: Sequence[Sheet]) -> None:
    for sheet in drafts:
        rows = [row for row in sheet.kept if row.invoice_id != sheet.invoice.pk]
        if rows:
            pending.move(rows=rows, invoice=sheet.invoice)


def _computed(wants: Sequence[Want], *, without: Sequence[int], at: datetime) -> list[Part]:
    """The wanted parts that are not invoiced elsewhere."""
    stands = standing.read(wants=wants, without=without)
    left = [want for want in wants if stands.invoiced(want) is None]
    for want in left:
        _check_ended(want, at)
    return parts.computed(wants=left, standing=stands, at=at)


def _locked_draft(invoice: Invoice) -> Invoice:
    locked = locking.invoice(invoice_id=invoice.pk)
    if locked.state != Invoice.State.DRAFT:
        raise InvoiceNotDraft(f"Invoice {locked} is {locked.get_state_display().lower()}: it stays as it is.")
    return locked


def _place(period: ServicePeriod) -> tuple[int, datetime, str]:
    return period.subscription_id, period.start_at, period.part


def _check_ended(want: Want, at: datetime) -> None:
    reached = want.piece.billed.end if want.part == ARREARS else want.piece.billed.start
    if reached > at:
        raise PeriodNotEnded(
            f"The period of {want.subscription.key} {'ends' if want.part == ARREARS else 'begins'} only at "
            f"{reached:%Y-%m-%d %H:%M} UTC."
        )


def _check_not_invoiced(want: Want, stands: standing.Standing) -> None:
    period = stands.invoiced(want)
    if period is not None:
        raise PeriodAlreadyInvoiced(
            f"{want.subscription.key} has the invoice {period.invoice} for the period from "
            f"{period.start_at:%Y-%m-%d}."
        )
