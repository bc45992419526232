"""The page of a subscription: its terms from phase to phase, its periods, and what was invoiced."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing.console import actions
from billing.console.customer import timeline
from billing.console.subscription import rows
from billing.console.subscription.actions import ACTIONS
from billing.models import ServicePeriod
from metering.console import pages

PERIODS_MAX = 24


@pages.needs("billing.view_subscription")
def page(request: HttpRequest, key: str) -> HttpResponse:
    """The subscription of the key, as of now."""
    subscription, at = rows.found(key), timezone.now()
    invoiced = subscription.service_periods.defer("rating_input").select_related("invoice")
    return pages.render(
        request,
        "subscription.html",
        title=f"Subscription {subscription.key}",
        subscription=subscription,
        timeline=timeline.of([subscription], at=at),
        phases=sorted(subscription.phases.all(), key=lambda phase: phase.validity.lower),
        pauses=sorted(subscription.pauses.all(), key=lambda pause: pause.validity.lower),
        cycles=subscription.cycles.order_by("start_at"),
        invoiced=_periods(invoiced) if request.user.has_perm("billing.view_invoice") else None,
        actions=actions.possible(ACTIONS, subscription, user=request.user, at=at),
    )


def _periods(invoiced: object) -> list[ServicePeriod]:
    return list(invoiced.order_by("-start_at", "-pk")[:PERIODS_MAX])  # type: ignore[attr-defined]
