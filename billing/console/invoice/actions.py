"""What a person does with an invoice: each with a page that says what will happen, and then does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from billing import formats
from billing.console import actions, fields
from billing.console.actions import Action
from billing.invoicing import crediting, drafting, finalizing, locking, paying, voiding
from billing.models import Invoice

Outcome = tuple[Invoice, str]


class CreditForm(forms.Form):
    """How much is given back, and why."""

    amount = forms.DecimalField(
        label="Amount before tax",
        widget=forms.TextInput(attrs={"class": "c-input", "inputmode": "decimal", "autocomplete": "off"}),
        help_text="The tax on it goes back with it.",
    )
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"class": "c-input", "rows": 3}),
        help_text="Printed on the credit note.",
        max_length=1000,
    )


class PaymentForm(forms.Form):
    """What came in, or with a minus went back."""

    amount = forms.DecimalField(
        widget=forms.TextInput(attrs={"class": "c-input", "inputmode": "decimal", "autocomplete": "off"}),
        help_text="With a minus: money that went back, or a payment recorded by mistake.",
    )
    received_at = fields.InstantField(label="Received (UTC)")
    reference = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "c-input"}),
        help_text="The bank's or the payer's words for it.",
    )


def page(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """The page of the action ``name`` of an invoice."""

    def find() -> Invoice:
        invoice = Invoice.objects.select_related("customer").filter(pk=pk).first()
        if invoice is None:
            raise Http404("There is no such invoice.")
        return invoice

    return actions.page(request, action=ACTIONS.get(name), find=find, address=_address)


def _address(invoice: Invoice) -> str:
    return reverse("console:invoice", args=[invoice.pk])


def _is_in(*states: str) -> Callable[[Invoice, datetime], bool]:
    return lambda invoice, _at: invoice.state in states


def _finalize(invoice: Invoice, _values: dict[str, Any], at: datetime, _by: str) -> Outcome:
    done = finalizing.finalize(invoice=invoice, at=at)
    return done, f"{done.number} is finalized."


def _void(invoice: Invoice, _values: dict[str, Any], at: datetime, _by: str) -> Outcome:
    done = voiding.void(invoice=invoice, at=at)
    return done, f"{done.number} is void."


def _reissue(invoice: Invoice, _values: dict[str, Any], at: datetime, _by: str) -> Outcome:
    return voiding.reissue(invoice=invoice, at=at), f"This draft stands in place of {invoice.number}."


def _credit(invoice: Invoice, values: dict[str, Any], at: datetime, _by: str) -> Outcome:
    note = crediting.credit_amount(invoice=invoice, amount=values["amount"], reason=values["reason"], at=at)
    return invoice, f"Credit note {note.number} over {formats.money(note.total, note.currency)} is issued."


def _pay(invoice: Invoice, values: dict[str, Any], at: datetime, by: str) -> Outcome:
    payment = paying.record(invoice=invoice, **values, at=at, by=by)
    return invoice, f"A payment of {formats.money(payment.amount, invoice.currency)} is recorded."


def _finalizing(invoice: Invoice) -> list[str]:
    return [
        "It is computed once more from usage as it is now, gets the next number and today's date.",
        f"From then on nobody can change it. As last computed it comes to {_total(invoice)} for "
        f"{invoice.customer.name}.",
        "What comes in later is charged on the next invoice, or given back by a credit note.",
    ]


def _voiding(invoice: Invoice) -> list[str]:
    return [
        f"Nothing is due on {invoice.number} any more; it keeps its number and its lines.",
        "Its periods are not charged by anything until you issue it again.",
        "An invoice for which money came in, or that was credited, cannot be voided.",
    ]


def _reissuing(invoice: Invoice) -> list[str]:
    return [
        f"A draft is made for the periods of {invoice.number}, from usage and contracts as they are now.",
        "The next invoice run finalizes it, or you do.",
    ]


def _crediting(invoice: Invoice) -> list[str]:
    now = paying.standing(invoice=invoice)
    lines = [f"{invoice.number} came to {_total(invoice)}."]
    if now.credited:
        lines.append(f"{formats.money(now.credited, invoice.currency)} was given back before.")
    return [*lines, "A credit note gets a number of its own, and nobody can change it."]


def _paying(invoice: Invoice) -> list[str]:
    now = paying.standing(invoice=invoice)
    return [
        f"Due of {invoice.number}: {formats.money(now.due, invoice.currency)}.",
        "A payment is never changed or deleted: a mistake is taken back by one with a minus.",
    ]


def _due(invoice: Invoice, at: datetime) -> dict[str, Any]:
    now = paying.standing(invoice=invoice)
    return {"amount": f"{now.due:f}" if now.due else "", "received_at": at}


def _total(invoice: Invoice) -> str:
    return formats.money(invoice.total, invoice.currency)


ACTIONS = {
    "finalize": Action(
        title="Finalize",
        button="Finalize",
        permission="billing.change_invoice",
        is_possible=_is_in(Invoice.State.DRAFT),
        consequences=_finalizing,
        run=_finalize,
        refusals=(
            finalizing.InvoiceAlreadyFinalized,
            finalizing.InvoiceBlocked,
            finalizing.GraceNotOver,
            finalizing.SellerMissing,
            locking.InvoiceGone,
            drafting.PeriodNotEnded,
        ),
    ),
    "pay": Action(
        title="Record a payment",
        button="Record",
        permission="billing.add_payment",
        is_possible=_is_in(Invoice.State.FINALIZED, Invoice.State.PAID),
        consequences=_paying,
        run=_pay,
        refusals=(locking.InvoiceGone, paying.PaymentRefused),
        form=PaymentForm,
        initial=_due,
    ),
    "credit": Action(
        title="Write a credit note",
        button="Issue the credit note",
        permission="billing.add_creditnote",
        is_possible=_is_in(Invoice.State.FINALIZED, Invoice.State.PAID),
        consequences=_crediting,
        run=_credit,
        refusals=(locking.InvoiceGone, crediting.CreditRefused),
        form=CreditForm,
    ),
    "void": Action(
        title="Void",
        button="Void it",
        permission="billing.change_invoice",
        is_possible=_is_in(Invoice.State.FINALIZED),
        consequences=_voiding,
        run=_void,
        refusals=(
            voiding.InvoiceNotFinalized,
            voiding.InvoicePaid,
            voiding.InvoiceAlreadyVoid,
            paying.InvoicePaidFor,
            paying.InvoiceCredited,
        ),
        is_grave=True,
    ),
    "reissue": Action(
        title="Issue again",
        button="Make the draft",
        permission="billing.change_invoice",
        is_possible=_is_in(Invoice.State.VOID),
        consequences=_reissuing,
        run=_reissue,
        refusals=(voiding.InvoiceNotVoid, voiding.InvoiceAlreadyReplaced, drafting.PeriodAlreadyInvoiced),
    ),
}
