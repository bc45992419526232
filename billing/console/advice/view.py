"""The page of advice: what a workload costs under every plan, the cheapest, and where that changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing.advising import advice
from billing.advising.request import PLANS_MAX
from billing.console import months
from billing.console.advice import answers
from billing.console.advice.form import AdviceForm
from billing.console.fields import CUSTOMERS_MAX
from billing.models import Customer, Plan
from metering import periods
from metering.console import pages
from metering.documents import DocumentError
from metering.models import Meter, patience

PERMISSION = "billing.view_plan"
METERS_MAX = 500
# A few seconds of one core, and about as many for break-even points; see `billing.rating.work`.
WORK_MAX = 1_000_000
TOO_SLOW = "That is more usage than can be read while you wait: choose fewer months or plans."


@pages.needs(PERMISSION)
def page(request: HttpRequest) -> HttpResponse:
    """The form, and the answer to what the address asks; where there is no plan yet, how to get one."""
    plans = list(Plan.objects.order_by("name", "pk").values_list("code", "name", "currency"))
    if not plans:
        return pages.render(request, "advice.html", title="Advice")
    now = timezone.now()
    may_see_usage = request.user.has_perms(("billing.view_customer", "metering.view_usageseries"))
    last = months.chosen(request.GET, at=now).text
    first_plans = [code for code, _, currency in plans if currency == plans[0][2]][:PLANS_MAX]
    # Rows alone come from an estimate: which plans to look at is still to be chosen.
    is_asked = "plans" in request.GET or any(request.GET.get(name) for name in ("meter", "customer"))
    asked = request.GET.copy()
    if is_asked and "plans" not in asked:
        asked.setlist("plans", first_plans)
    form = AdviceForm(
        asked if is_asked else None,
        plans=[(code, f"{name} ({code}, {currency})") for code, name, currency in plans],
        may_see_usage=may_see_usage,
        initial={"first_month": last, "last_month": last, "plans": first_plans},
    )
    context: dict[str, Any] = {}
    if is_asked and form.is_valid():
        context = _answered(form, at=now)
    return pages.render(
        request,
        "advice.html",
        title="Advice",
        form=form,
        meters=Meter.objects.order_by("slug").values_list("slug", "slug")[:METERS_MAX],
        customers=Customer.objects.order_by("key").values_list("key", "name")[:CUSTOMERS_MAX]
        if may_see_usage
        else [],
        status=400 if form.errors else 200,
        **context,
    )


def _answered(form: AdviceForm, *, at: datetime) -> dict[str, Any]:
    """The answer for the template, or nothing where the form says why there is none."""
    asked = form.request(periods.month_period(at.year, at.month))
    try:
        with patience.answer_in_time():
            answer = advice.advise(asked, at=at, work_max=WORK_MAX)
    except DocumentError as error:
        form.tell(error)
        return {}
    except patience.TooSlow:
        form.add_error(None, TOO_SLOW)
        return {}
    customer, has_budget = form.cleaned_data.get("customer"), bool(form.cleaned_data["budget"])
    return {
        "answer": answer,
        "workload": answers.rounded(answer["workload"]),
        "customer": Customer.objects.filter(key=customer).first() if customer else None,
        "has_budget": has_budget,
        "is_spread": bool(form.cleaned_data["spread"]),
        "columns": 3 + 2 * (len(answer["months"]) > 1) + has_budget,  # beside a plan's name
        **answers.shown(answer),
    }
