"""The subscription that a page is about."""

from __future__ import annotations

from django.http import Http404

from billing.models import Subscription


def found(key: str) -> Subscription:
    """The subscription with its customer, phases and pauses. Raises Http404."""
    rows = Subscription.objects.select_related("customer").prefetch_related("phases__plan", "pauses")
    subscription = rows.filter(key=key).first()
    if subscription is None:
        raise Http404("There is no subscription with this key.")
    return subscription
