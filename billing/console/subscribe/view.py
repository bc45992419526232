"""The page that makes a subscription."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from billing import subscribing, versions
from billing.console import fields
from billing.models import Customer, Plan, Subscription
from metering.console import pages
from metering.documents import DocumentError


class SubscribeForm(forms.Form):
    """Who, on which plan, from when on."""

    customer = fields.CustomerField(label="Customer", help_text="The customer's key.")
    plan = forms.ModelChoiceField(queryset=Plan.objects.order_by("name", "pk"), empty_label="Choose a plan")
    key = forms.CharField(
        max_length=100,
        help_text="Your own name for this subscription, such as acme-gpu.",
        widget=forms.TextInput(attrs={"class": "c-input", "autocomplete": "off"}),
    )
    start_at = fields.InstantField(label="From (UTC)")
    end_at = fields.InstantField(label="Until (UTC), exclusive", required=False)
    trial_end_at = fields.InstantField(
        label="Trial until (UTC)", required=False, help_text="Usage is free and no fees are due until then."
    )
    anchor_date = forms.DateField(
        label="Billing periods counted from",
        required=False,
        help_text="Empty: calendar months, in the customer's time zone.",
        widget=forms.DateInput(attrs={"class": "c-input", "type": "date"}),
    )
    overrides = fields.MappingField(
        help_text='By component code, as JSON: {"gpu": {"quantity": "16"}}. Empty: the plan as it is.'
    )


@pages.needs("billing.add_subscription")
def page(request: HttpRequest) -> HttpResponse:
    """The form, with ``?customer=ID`` and ``?plan=CODE`` in it; what cannot be is said beside the field."""
    form = SubscribeForm(
        request.POST if request.method == "POST" else None,
        initial={
            "customer": _key(request.GET.get("customer", "")),
            "plan": _plan(request.GET.get("plan", "")),
        },
    )
    if request.method == "POST" and form.is_valid():
        made = _subscribe(form)
        if made is not None:
            messages.success(request, f"{made.customer.name} has the subscription {made.key}.")
            return redirect("console:subscription", key=made.key)
    return pages.render(
        request,
        "form.html",
        title="New subscription",
        form=form,
        button="Subscribe",
        customers=Customer.objects.order_by("name").values_list("key", "name")[: fields.CUSTOMERS_MAX],
        nothing_to_choose="" if Plan.objects.exists() else "There is no plan yet: publish one first.",
        status=400 if form.errors else 200,
    )


def _subscribe(form: SubscribeForm) -> Subscription | None:
    try:
        return subscribing.subscribe(**form.cleaned_data, at=timezone.now())
    except (subscribing.SubscriptionRefused, versions.PlanNotInForce) as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
    except DocumentError as error:
        form.add_error("overrides", str(error))
    return None


def _key(customer_id: str) -> str:
    customer = Customer.objects.filter(pk=customer_id).first() if customer_id.isdigit() else None
    return customer.key if customer else ""


def _plan(code: str) -> Plan | None:
    return Plan.objects.filter(code=code).first() if "\0" not in code else None
