"""Writes credit notes: what is given back of a finalized invoice, with the tax on it, never more than it
charged.

Amounts are before tax; the taxes go back at the rates of the invoice. Numbers are a series of their own
without gaps, taken as those of invoices are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import Jsonb
from django.db.models import Sum

from billing import taxes
from billing.documents import currencies
from billing.invoicing import locking, numbering, paying
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine, ServicePeriod
from billing.registering import SELLER_ID
from metering import numbers

GIFT = "credit"  # the kind of a line that a person gave
ZERO = Decimal(0)


class CreditRefused(Exception):
    """This cannot be credited; the message says why."""


class InvoiceNotCreditable(CreditRefused):
    """A draft has charged nothing yet, and a void invoice nothing any more."""


class CreditTooLarge(CreditRefused):
    """More would be given back than the invoice, or its line, charged and has not given back yet."""

    field = "amount"


class CreditAmountInvalid(CreditRefused):
    """What is credited is more than zero, and has no more digits than the currency."""

    field = "amount"


class ReasonMissing(CreditRefused):
    """A credit note says why."""

    field = "reason"


class InvoiceLineUnknown(CreditRefused):
    """The line stands on another invoice."""

    field = "lines"


@dataclass(frozen=True)
class Entry:
    """A line of a credit note to come: the amount before tax is positive where it gives back."""

    name: str
    amount: Decimal
    kind: str = GIFT
    component: str | None = None
    group: str | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    service_period: ServicePeriod | None = None
    invoice_line: InvoiceLine | None = None
    note: str = ""


@transaction.atomic
def credit_amount(*, invoice: Invoice, amount: Decimal, reason: str, at: datetime) -> CreditNote:
    """A credit note over an amount before tax, which a person gives back whatever the usage was.

    Raises a CreditRefused.
    """
    invoice = _locked(invoice)
    _check_amount(amount, invoice)
    return issue(invoice=invoice, entries=[Entry(reason.strip(), amount)], reason=reason, at=at)


@transaction.atomic
def credit_lines(
    *, invoice: Invoice, amounts: Mapping[int, Decimal], reason: str, at: datetime
) -> CreditNote:
    """A credit note over lines of the invoice, by their ids: how much of each a person gives back.

    Amounts are before tax. Raises a CreditRefused; of a line never more than it charged is given back.
    """
    invoice = _locked(invoice)
    rows = InvoiceLine.objects.filter(service_period__invoice=invoice, pk__in=amounts)
    rows = rows.annotate(given_back=Sum("credit_note_lines__amount")).order_by(
        "service_period_id", "position"
    )
    found = list(rows)
    if len(found) != len(amounts) or not amounts:
        raise InvoiceLineUnknown(f"Name lines of invoice {invoice} itself.")
    for line in found:
        _check_amount(amounts[line.pk], invoice)
        rest = line.amount - (line.given_back or ZERO)
        if amounts[line.pk] > rest:
            raise CreditTooLarge(
                f"Of the line {line.name} at most {paying.above_zero(rest):f} can be given back."
            )
    entries = [
        Entry(
            name=line.name,
            amount=amounts[line.pk],
            component=line.component,
            group=line.group,
            dimensions=line.dimensions,
            invoice_line=line,
        )
        for line in found
    ]
    return issue(invoice=invoice, entries=entries, reason=reason, at=at)


def issue(*, invoice: Invoice, entries: Sequence[Entry], reason: str, at: datetime) -> CreditNote:
    """The credit note of these lines, frozen at once; the invoice is settled where that covers it.

    For an invoice whose lock the caller holds. The number is taken by the last statement, which the caller's
    transaction should be over with soon: the next credit note waits for it. Raises InvoiceNotCreditable,
    ReasonMissing and CreditTooLarge; nothing is written then.
    """
    _check_creditable(invoice)
    if not reason.strip():
        raise ReasonMissing("Say why this is given back: the reason is printed on the credit note.")
    with numbers.exact():
        subtotal = sum((entry.amount for entry in entries), ZERO)
        before = credited_net(invoice)
        rest = net(invoice) - before
        if not ZERO <= subtotal <= rest:
            raise CreditTooLarge(
                f"Of invoice {invoice} at most {paying.above_zero(rest):f} {invoice.currency} before tax "
                f"can be given back any more, not {subtotal:f}."
            )
        digits = currencies.digits(invoice.currency)
        of_note = taxes.given_back(taxes=invoice.taxes, net=subtotal, net_before=before, digits=digits)
        tax_total = taxes.total(of_note)
        note = CreditNote(
            id=_next_id(),
            invoice=invoice,
            customer_id=invoice.customer_id,
            issued_at=at,
            currency=invoice.currency,
            subtotal=subtotal,
            taxes=[each.answer() for each in of_note],
            tax_total=tax_total,
            total=subtotal + tax_total,
            reason=reason.strip(),
            seller=invoice.seller,
            buyer=invoice.buyer,
        )
    _write_lines(note, entries)
    paying.settle(invoice=invoice, credited=note.total)
    note.number = _number_and_freeze(note)
    note._state.adding = False
    return note


def net(invoice: Invoice) -> Decimal:
    """What the invoice charged before tax."""
    with numbers.exact():
        return invoice.subtotal - invoice.discount_total


def credited_net(invoice: Invoice) -> Decimal:
    """What was given back of the invoice so far, before tax."""
    found: Decimal | None = invoice.credit_notes.aggregate(sum=Sum("subtotal"))["sum"]
    return found or ZERO


def _locked(invoice: Invoice) -> Invoice:
    found = locking.invoice(invoice_id=invoice.pk)
    _check_creditable(found)
    return found


def _check_creditable(invoice: Invoice) -> None:
    if invoice.state not in (Invoice.State.FINALIZED, Invoice.State.PAID):
        state = invoice.get_state_display().lower()
        raise InvoiceNotCreditable(f"Invoice {invoice} is {state}: only what was charged can be given back.")


def _check_amount(amount: Decimal, invoice: Invoice) -> None:
    digits = currencies.digits(invoice.currency)
    if amount <= 0 or amount != numbers.round_half_up(Fraction(amount), digits):
        raise CreditAmountInvalid(
            f"{amount:f} cannot be given back: write an amount above zero with at most {digits} decimal "
            "places."
        )


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('billing_creditnote', 'id'))")
        return int(cursor.fetchone()[0])


def _write_lines(note: CreditNote, entries: Sequence[Entry]) -> None:
    """The lines go in before their credit note, which refuses any later one."""
    digits = currencies.digits(note.currency)
    rows = [
        CreditNoteLine(
            credit_note_id=note.pk,
            position=position,
            service_period=entry.service_period,
            invoice_line=entry.invoice_line,
            kind=entry.kind,
            component=entry.component,
            group=entry.group,
            dimensions=dict(entry.dimensions),
            name=entry.name,
            amount=numbers.round_half_up(Fraction(entry.amount), digits),
            note=entry.note,
        )
        for position, entry in enumerate(entries, start=1)
    ]
    CreditNoteLine.objects.bulk_create(rows)


_ISSUE = """
with taken as (
    update billing_seller set credit_note_number_last = credit_note_number_last + 1
    where id = %(seller_id)s
    returning credit_note_prefix, credit_note_number_last::text as digits
)
insert into billing_creditnote (
    id, invoice_id, customer_id, number, issued_at, currency, subtotal, taxes, tax_total, total, reason,
    seller, buyer
)
select %(id)s, %(invoice_id)s, %(customer_id)s,
    credit_note_prefix || lpad(digits, greatest(length(digits), %(digits_min)s), '0'),
    %(issued_at)s, %(currency)s, %(subtotal)s, %(taxes)s, %(tax_total)s, %(total)s, %(reason)s, %(seller)s,
    %(buyer)s
from taken
returning number
"""


def _number_and_freeze(note: CreditNote) -> str:
    columns = (
        "id",
        "invoice_id",
        "customer_id",
        "issued_at",
        "currency",
        "subtotal",
        "tax_total",
        "total",
        "reason",
    )
    values: dict[str, Any] = {column: getattr(note, column) for column in columns}
    values |= {column: Jsonb(getattr(note, column)) for column in ("taxes", "seller", "buyer")}
    values |= {"seller_id": SELLER_ID, "digits_min": numbering.DIGITS_MIN}
    with connection.cursor() as cursor:
        cursor.execute(_ISSUE, values)
        (number,) = cursor.fetchone()
    return str(number)
