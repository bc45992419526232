"""Records what came in for invoices, and says what is still due of them.

An invoice is PAID once payments and credit notes cover its total. Payments are facts: one recorded by
mistake, a refund and a returned debit are further rows with a negative amount.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Sum

from billing.documents import currencies
from billing.invoicing import locking
from billing.models import CreditNote, Invoice, Payment
from metering import numbers

ZERO = Decimal(0)


class PaymentRefused(Exception):
    """The payment cannot be recorded; the message says why."""


class InvoiceNotPayable(PaymentRefused):
    """Nobody owes anything for a draft or a void invoice."""


class PaymentAmountInvalid(PaymentRefused):
    """A payment is not zero, and has no more digits than the currency."""

    field = "amount"


class PaymentMoreThanDue(PaymentRefused):
    """More than is due of the invoice: mostly a slip of the pen, or meant for two invoices."""

    field = "amount"


class RefundMoreThanPaid(PaymentRefused):
    """More would have gone back than came in."""

    field = "amount"


class PaymentFromTheFuture(PaymentRefused):
    """It was received after now."""

    field = "received_at"


class InvoicePaidFor(Exception):
    """An invoice for which money came in is not voided: it is credited, and the money goes back."""


class InvoiceCredited(Exception):
    """An invoice with a credit note is not voided: the rest of it is credited."""


@dataclass(frozen=True)
class Standing:
    """What became of an invoice's total, in its currency.

    ``paid``: payments less refunds. ``due``: what is still owed. ``overpaid``: what is owed to the customer,
    since a part was credited after it had been paid.
    """

    total: Decimal
    credited: Decimal
    paid: Decimal

    @property
    def due(self) -> Decimal:
        return above_zero(self._open)

    @property
    def overpaid(self) -> Decimal:
        return above_zero(-self._open)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is owed any more."""
        return self._open <= 0

    @property
    def is_part_paid(self) -> bool:
        """Whether some of it was paid, and some is still owed."""
        return self.paid > 0 and not self.is_settled

    @property
    def _open(self) -> Decimal:
        with numbers.exact():
            return self.total - self.credited - self.paid


def above_zero(amount: Decimal) -> Decimal:
    """The amount, or zero with as many digits where it is negative."""
    return amount if amount > 0 else amount.copy_abs() * 0


def standing(*, invoice: Invoice) -> Standing:
    """What became of the invoice's total so far."""
    return standings(invoices=[invoice])[invoice.pk]


def standings(*, invoices: Collection[Invoice]) -> dict[int, Standing]:
    """The standing of each invoice, by its id, in two SQL statements."""
    ids = [invoice.pk for invoice in invoices]
    paid = dict(_sums(Payment.objects.filter(invoice__in=ids), "amount"))
    credited = dict(_sums(CreditNote.objects.filter(invoice__in=ids), "total"))
    return {
        invoice.pk: Standing(invoice.total, credited.get(invoice.pk, ZERO), paid.get(invoice.pk, ZERO))
        for invoice in invoices
    }


def _sums(rows, column: str):  # type: ignore[no-untyped-def]  # a QuerySet with invoices, in and out
    return rows.order_by().values_list("invoice").annotate(sum=Sum(column))


@transaction.atomic
def record(
    *, invoice: Invoice, amount: Decimal, received_at: datetime, reference: str, at: datetime, by: str
) -> Payment:
    """The payment, recorded now by the user or API key ``by``; the invoice is PAID where that covers it.

    A negative amount is money that went back; an invoice that is not covered any more is no longer PAID.
    Raises a PaymentRefused, such as PaymentMoreThanDue, or locking.InvoiceGone.
    """
    invoice = locking.invoice(invoice_id=invoice.pk)
    _check(invoice, amount, received_at, at)
    payment = Payment.objects.create(
        invoice=invoice,
        amount=amount,
        received_at=received_at,
        reference=reference,
        recorded_at=at,
        recorded_by=by,
    )
    settle(invoice=invoice)
    return payment


def _check(invoice: Invoice, amount: Decimal, received_at: datetime, at: datetime) -> None:
    if invoice.state not in (Invoice.State.FINALIZED, Invoice.State.PAID):
        raise InvoiceNotPayable(
            f"Invoice {invoice} is {invoice.get_state_display().lower()}: nothing is owed."
        )
    digits = currencies.digits(invoice.currency)
    if not amount or amount != numbers.round_half_up(Fraction(amount), digits):
        raise PaymentAmountInvalid(
            f"{amount:f} is no payment: write an amount other than zero with at most {digits} decimal places."
        )
    if received_at > at:
        raise PaymentFromTheFuture(f"{received_at:%Y-%m-%d %H:%M} UTC has not come yet.")
    now = standing(invoice=invoice)
    if amount > now.due:
        raise PaymentMoreThanDue(
            f"Of invoice {invoice} only {now.due:f} {invoice.currency} are due, not {amount:f}: record that "
            "much, and the rest with the invoice that it is for."
        )
    if -amount > now.paid:
        raise RefundMoreThanPaid(
            f"Only {now.paid:f} {invoice.currency} came in for invoice {invoice}: no more can go back."
        )


def settle(*, invoice: Invoice, credited: Decimal = ZERO) -> None:
    """Marks the invoice, whose lock the caller holds, as PAID where its total is covered, else as finalized.

    ``credited``: of a credit note that is written right after this. A draft or void invoice stays what it is.
    """
    if invoice.state not in (Invoice.State.FINALIZED, Invoice.State.PAID):
        return
    now = standing(invoice=invoice)
    with numbers.exact():
        now = Standing(now.total, now.credited + credited, now.paid)
    state = Invoice.State.PAID if now.is_settled else Invoice.State.FINALIZED
    if state != invoice.state:
        invoice.state = state
        invoice.save(update_fields=["state"])


def check_voidable(*, invoice: Invoice) -> None:
    """Raises InvoicePaidFor or InvoiceCredited where money or a credit note hangs on the invoice."""
    if invoice.payments.exists():
        raise InvoicePaidFor(
            f"Money came in for invoice {invoice}: it cannot be voided. Write a credit note, and record "
            "what goes back."
        )
    if invoice.credit_notes.exists():
        raise InvoiceCredited(
            f"A credit note was written for invoice {invoice}: it cannot be voided. Credit the rest of it."
        )
