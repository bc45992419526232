"""The page of a customer: whose usage they pay for, on which plans, and what that comes to now."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from billing import previews
from billing.console import actions
from billing.console.customer import timeline
from billing.console.customer.actions import ACTIONS
from billing.models import Customer, CustomerSubject, CustomerTax, Invoice, Subscription
from billing.previews import Preview
from metering import numbers
from metering.console import pages

SUBJECTS_MAX = 200
SUBSCRIPTIONS_MAX = 50
INVOICES_MAX = 12


@dataclasses.dataclass(frozen=True)
class Now:
    """What the running periods come to so far; ``total`` is None where one of them cannot be computed."""

    previews: list[Preview]
    total: Decimal | None


@pages.needs("billing.view_customer")
def page(request: HttpRequest, key: str) -> HttpResponse:
    """The customer of the key, as of now. Money is shown to those who may see invoices."""
    customer = Customer.objects.filter(key=key).first()
    if customer is None:
        raise Http404("There is no customer with this key.")
    at = timezone.now()
    subscriptions = _subscriptions(customer)
    subjects = customer.subjects.select_related("subscription").order_by("subject", "validity")
    return pages.render(
        request,
        "customer.html",
        title=customer.name,
        customer=customer,
        timeline=timeline.of(subscriptions, at=at),
        subjects=_first(subjects, SUBJECTS_MAX),
        subjects_max=SUBJECTS_MAX,
        invoices=_invoices(customer) if request.user.has_perm("billing.view_invoice") else None,
        now=_now(customer, at) if request.user.has_perm("billing.view_invoice") else None,
        at=at,
        actions=actions.possible(ACTIONS, customer, user=request.user, at=at),
        tax=CustomerTax.objects.filter(customer=customer).prefetch_related("rates").first(),
    )


def _subscriptions(customer: Customer) -> list[Subscription]:
    newest = customer.subscriptions.prefetch_related("phases__plan", "pauses").order_by("-start_at", "-pk")
    return list(newest[:SUBSCRIPTIONS_MAX])


def _first(subjects: object, count: int) -> list[CustomerSubject]:
    return list(subjects[: count + 1])  # type: ignore[index]


def _invoices(customer: Customer) -> list[Invoice]:
    return list(customer.invoices.order_by("-pk")[:INVOICES_MAX])


@numbers.exact()
def _now(customer: Customer, at: datetime) -> Now:
    found = previews.of(customer=customer, at=at)
    amounts = [preview.statement.total for preview in found if preview.statement is not None]
    return Now(found, sum(amounts, Decimal(0)) if len(amounts) == len(found) else None)
