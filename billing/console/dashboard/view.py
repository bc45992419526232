"""The dashboard: what unfold calls to fill the console's first page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from billing import reconciling
from billing.console import curl, months
from billing.console.dashboard import chart, figures
from metering.models import patience


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the console's index with the figures of the month in the address.

    Everybody of the staff may open it; money and events are there only for those who may see them.
    """
    now = timezone.now()
    month = months.chosen(request.GET, at=now)
    context |= {"title": "Dashboard", "month": month}
    if request.user.has_perm("billing.view_invoice"):
        context |= _money(month, now)
    if request.user.has_perm("metering.view_event"):
        context |= _events(month, now)
    if request.user.has_perms(["billing.add_customer", "metering.add_meterversion"]):
        context |= _first_steps(request)
    return context


def _money(month: months.Month, now: datetime) -> dict[str, Any]:
    revenues = figures.revenue(month.first)
    currencies = [revenue.currency for revenue in revenues]
    return {
        "revenues": revenues,
        "top_customers": figures.top_customers(month.first, currencies=currencies),
        "blocked": figures.blocked_drafts(),
        "reconciliation": reconciling.latest(),
        "overdue": figures.overdue(now.date()),
    }


def _events(month: months.Month, now: datetime) -> dict[str, Any]:
    counts = {"pending": figures.pending_batches(), "rejected": figures.rejected_events()}
    try:
        with patience.answer_in_time():
            hours = figures.events_by_hour(month.period, at=now)
    except patience.TooSlow:
        return {**counts, "is_chart_too_slow": True}
    total = sum(number for _, number in hours)
    return {**counts, "events_total": total, "chart": chart.events(hours), "chart_options": chart.options()}


def _first_steps(request: HttpRequest) -> dict[str, Any]:
    steps = figures.first_steps()
    if all(step.is_done for step in steps):
        return {}
    return {"steps": steps, "first_event": curl.first_event(request)}
