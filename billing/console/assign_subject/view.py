"""The page that assigns a subject to a customer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from billing import subscribing
from billing.console import fields
from billing.models import Customer, CustomerSubject, Subscription
from metering.console import pages


class AssignForm(forms.Form):
    """Which subject, from when to when, and at whose charge."""

    subject = forms.CharField(
        max_length=1000,
        help_text="As events carry it, with its case.",
        widget=forms.TextInput(attrs={"class": "c-input", "autocomplete": "off"}),
    )
    start_at = fields.InstantField(label="From (UTC)")
    end_at = fields.InstantField(label="Until (UTC), exclusive", required=False)
    subscription = forms.ModelChoiceField(
        queryset=Subscription.objects.none(),
        required=False,
        empty_label="The only one that prices the meter",
        help_text="Needed where several subscriptions price the same meter.",
    )

    customer = fields.CustomerField(label="Customer", help_text="The key of who pays.")
    field_order = ("customer", "subject")

    def __init__(self, *args: Any, customer: Customer | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if customer is None:
            # Which of the payer's subscriptions there are to choose from is known once the payer is.
            del self.fields["subscription"]
        else:
            del self.fields["customer"]
            self.fields["subscription"].queryset = customer.subscriptions.order_by("key")


@pages.needs("billing.add_customersubject")
def page(request: HttpRequest) -> HttpResponse:
    """The form for ``?customer=ID`` or ``?subject=NAME``; what cannot be is said beside the field."""
    customer = _customer(request.GET["customer"]) if "customer" in request.GET else None
    form = AssignForm(
        request.POST if request.method == "POST" else None,
        customer=customer,
        initial={"subject": request.GET.get("subject", "")},
    )
    if request.method == "POST" and form.is_valid():
        made = _assign(customer or form.cleaned_data["customer"], form)
        if made is not None:
            messages.success(request, f"{made.customer.name} pays for {made.subject}.")
            return redirect("console:customer", key=made.customer.key)
    return pages.render(
        request,
        "form.html",
        title=f"Assign a subject to {customer.name}" if customer else "Say who pays for a subject",
        form=form,
        button="Assign",
        customers=_customers() if customer is None else None,
        status=400 if form.errors else 200,
    )


def _assign(customer: Customer, form: AssignForm) -> CustomerSubject | None:
    typed = form.cleaned_data
    start, end = typed["start_at"], typed["end_at"]
    if end is not None and end <= start:
        form.add_error("end_at", "The end must be later than the start.")
        return None
    try:
        return subscribing.assign_subject(
            customer=customer,
            subject=typed["subject"],
            validity=DateTimeTZRange(start, end),
            subscription=typed.get("subscription"),
        )
    except subscribing.SubscriptionRefused as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None


def _customers() -> Any:
    return Customer.objects.order_by("name").values_list("key", "name")[: fields.CUSTOMERS_MAX]


def _customer(customer_id: str) -> Customer:
    customer = Customer.objects.filter(pk=customer_id).first() if customer_id.isdigit() else None
    if customer is None:
        raise Http404("There is no such customer.")
    return customer
