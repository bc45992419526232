"""Writes drafts and their parts as rows, many with few SQL statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.invoicing import terms, totals
from billing.invoicing.due import ARREARS
from billing.invoicing.parts import Part
from billing.models import Customer, Invoice, InvoiceLine, Seller, ServicePeriod

NOTHING_DUE = "Nothing of what this draft was made for is due any more: it can be discarded."
_COMPUTED = (
    *("subtotal", "discount_total", "tax_total", "taxes", "total"),
    *("drafted_at", "finalize_at", "blocked_reason"),
)


_RATED = (
    *("end_at", "subtotal", "discounts", "total", "unbilled"),
    *("revisions", "rating_input", "rating_sha256"),
)


@dataclass(frozen=True)
class Sheet:
    """A draft and its parts, which are to be written; ``kept``: periods of it that stay as they are.

    A part whose service period has a primary key takes the place of the stored one, which has no lines.
    """

    invoice: Invoice
    customer: Customer
    parts: Sequence[Part]
    kept: Sequence[ServicePeriod] = ()

    @property
    def periods(self) -> list[ServicePeriod]:
        """The service periods of the draft."""
        return [*self.kept, *(part.service_period for part in self.parts)]


def blank(customer: Customer) -> Invoice:
    """A draft for the customer that holds nothing yet, not saved."""
    return Invoice(customer=customer, currency=customer.currency)


def write(*, sheets: Sequence[Sheet], at: datetime) -> list[Invoice]:
    """The drafts of the sheets, in their order, written for the first time."""
    _fill(sheets, at)
    Invoice.objects.bulk_create([sheet.invoice for sheet in sheets])
    _write_parts(sheets)
    return [sheet.invoice for sheet in sheets]


def rewrite(*, sheets: Sequence[Sheet], at: datetime) -> None:
    """Writes the sums of drafts that stand already, and their new parts."""
    _fill(sheets, at)
    Invoice.objects.bulk_update([sheet.invoice for sheet in sheets], _COMPUTED)
    _write_parts(sheets)


def _fill(sheets: Sequence[Sheet], at: datetime) -> None:
    seller = terms.seller()
    for sheet in sheets:
        invoice, periods = sheet.invoice, sheet.periods
        totals.fill(invoice=invoice, customer=sheet.customer, periods=periods)
        reasons = [part.reason for part in sheet.parts if part.reason]
        invoice.blocked_reason = "\n".join(reasons) if periods else NOTHING_DUE
        invoice.drafted_at = at
        invoice.finalize_at = _finalize_at(sheet, seller) if periods else at


def _finalize_at(sheet: Sheet, seller: Seller | None) -> datetime | None:
    """The end of the last period and then the customer's grace; for fees in advance alone their start.

    Adjustments of earlier periods alone wait for the customer's next invoice, whenever that is: None.
    """
    own = [period for period in sheet.periods if period.sequence == 1]
    if not own:
        return None
    ends = [period.end_at for period in own if period.part == ARREARS]
    if not ends:
        return max(period.start_at for period in own)
    return max(ends) + terms.grace(customer=sheet.customer, seller=seller)


def _write_parts(sheets: Sequence[Sheet]) -> None:
    parts = [(sheet.invoice, part) for sheet in sheets for part in sheet.parts]
    for invoice, part in parts:
        part.service_period.invoice = invoice
    rows = [part.service_period for _invoice, part in parts]
    ServicePeriod.objects.bulk_update([row for row in rows if row.pk], _RATED)
    ServicePeriod.objects.bulk_create([row for row in rows if not row.pk])
    for _invoice, part in parts:
        for line in part.lines:
            line.service_period = part.service_period
    InvoiceLine.objects.bulk_create([line for _invoice, part in parts for line in part.lines])
