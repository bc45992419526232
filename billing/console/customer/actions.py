"""What a person does with a customer, and with a subject that a customer pays for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from billing import subscribing, taxing
from billing.console import actions, fields
from billing.console.actions import Action
from billing.models import Customer, CustomerSubject, CustomerTax, TaxRate


class TaxForm(forms.Form):
    """How the customer is taxed."""

    treatment = forms.ChoiceField(
        choices=CustomerTax.Treatment.choices, widget=forms.Select(attrs={"class": "c-input"})
    )
    rates = forms.ModelMultipleChoiceField(
        queryset=TaxRate.objects.order_by("code"), required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"class": "c-input"}),
        help_text="Printed beside the tax, such as the law for an exemption.",
    )


class MergeForm(forms.Form):
    """Into whom, and from when on."""

    into = fields.CustomerField(label="Into the customer", help_text="The key of who takes over.")
    effective_at = fields.InstantField(label="From (UTC)")


class ReleaseForm(forms.Form):
    """Until when."""

    effective_at = fields.InstantField(label="Until (UTC), exclusive")


class MoveForm(forms.Form):
    """To whom, and from when on."""

    customer = fields.CustomerField(label="To the customer", help_text="The key of who pays from then on.")
    effective_at = fields.InstantField(label="From (UTC)")


def page(request: HttpRequest, key: str, name: str) -> HttpResponse:
    """The page of the action ``name`` of a customer."""
    return actions.page(request, action=ACTIONS.get(name), find=lambda: _customer(key), address=_address)


def subject_page(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """The page of the action ``name`` of a subject that a customer pays for."""
    return actions.page(
        request,
        action=SUBJECT_ACTIONS.get(name),
        find=lambda: _subject(pk),
        address=lambda row: _address(row.customer),
    )


def _customer(key: str) -> Customer:
    customer = Customer.objects.filter(key=key).first()
    if customer is None:
        raise Http404("There is no customer with this key.")
    return customer


def _subject(pk: int) -> CustomerSubject:
    row = CustomerSubject.objects.select_related("customer").filter(pk=pk).first()
    if row is None:
        raise Http404("Nobody pays for this subject in this way any more.")
    return row


def _address(customer: Customer) -> str:
    return reverse("console:customer", args=[customer.key])


def _tax(customer: Customer, values: dict[str, Any], _at: datetime, _by: str) -> tuple[Customer, str]:
    said = taxing.assign(
        customer=customer, treatment=values["treatment"], rates=list(values["rates"]), note=values["note"]
    )
    return customer, f"{customer.name}: {said.get_treatment_display()}."


def _taxed_now(customer: Customer, _at: datetime) -> dict[str, Any]:
    said = CustomerTax.objects.filter(customer=customer).first()
    if said is None:
        return {}
    return {"treatment": said.treatment, "rates": list(said.rates.all()), "note": said.note}


def _merge(customer: Customer, values: dict[str, Any], _at: datetime, _by: str) -> tuple[Customer, str]:
    subscribing.merge(customer=customer, into=values["into"], effective_at=values["effective_at"])
    return values["into"], f"{customer.name} is merged into {values['into'].name}."


def _release(
    row: CustomerSubject, values: dict[str, Any], _at: datetime, _by: str
) -> tuple[CustomerSubject, str]:
    done = subscribing.release_subject(customer_subject=row, effective_at=values["effective_at"])
    return (
        done,
        f"{done.customer.name} pays for {done.subject} until {done.validity.upper:%Y-%m-%d %H:%M} UTC.",
    )


def _move(
    row: CustomerSubject, values: dict[str, Any], _at: datetime, _by: str
) -> tuple[CustomerSubject, str]:
    done = subscribing.move_subject(
        subject=row.subject, customer=values["customer"], effective_at=values["effective_at"]
    )
    return done, f"{done.customer.name} pays for {done.subject} from then on."


def _always(_row: object, _at: datetime) -> bool:
    return True


ACTIONS = {
    "tax": Action(
        title="Tax",
        button="Save",
        permission="billing.change_customertax",
        is_possible=_always,
        consequences=lambda _row: [
            "Drafts follow it from now on, those that stand too; finalized invoices stay as they are.",
        ],
        run=_tax,
        refusals=(taxing.TaxRefused,),
        form=TaxForm,
        initial=_taxed_now,
    ),
    "merge": Action(
        title="Merge into another customer",
        button="Merge",
        permission="billing.change_customer",
        is_possible=lambda row, _at: row.merged_into_id is None,
        consequences=lambda row: [
            f"The subscriptions of {row.name} end at the instant; who takes over pays for all its subjects.",
            "Invoices stay with whom they were made out to. This is not taken back.",
        ],
        run=_merge,
        refusals=(subscribing.SubscriptionRefused,),
        form=MergeForm,
        is_grave=True,
    ),
}
SUBJECT_ACTIONS = {
    "release": Action(
        title="Pay no longer",
        button="Save",
        permission="billing.change_customersubject",
        is_possible=_always,
        consequences=lambda row: [
            f"{row.customer.name} pays for {row.subject} until the instant. Usage from then on is nobody's, "
            "and listed as unbilled.",
        ],
        run=_release,
        refusals=(subscribing.SubscriptionRefused,),
        form=ReleaseForm,
    ),
    "move": Action(
        title="Move to another customer",
        button="Move",
        permission="billing.change_customersubject",
        is_possible=_always,
        consequences=lambda row: [f"Usage of {row.subject} from the instant on is charged to the other one."],
        run=_move,
        refusals=(subscribing.SubscriptionRefused,),
        form=MoveForm,
    ),
}
