"""Writes pauses: stretches in which a subscription rests."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import timelines
from billing.models import Subscription, SubscriptionPause
from billing.subscribing import checks, dues, locks
from billing.subscribing.refusals import AlreadyPaused, NotPaused, PauseEmpty
from metering.periods import format_instant


@transaction.atomic
def pause(
    *, subscription: Subscription, effective_at: datetime, until_at: datetime | None = None
) -> Subscription:
    """The subscription, which rests from the instant on, until somebody resumes it or to ``until_at``.

    No fees are due for the pause, and usage in it is not billed but listed as unbilled. Tiers and allowances
    of a period go on counting after it. Raises a SubscriptionRefused.
    """
    subscription = locks.subscription(subscription_id=subscription.pk)
    checks.runs_at(subscription, effective_at)
    checks.not_finalized(subscription, effective_at)
    if until_at is not None and until_at <= effective_at:
        raise PauseEmpty(f"The pause of {subscription.key} would end before it begins, or at once.")
    before = timelines.of(subscription)
    try:
        with transaction.atomic():
            SubscriptionPause.objects.create(
                subscription=subscription, validity=DateTimeTZRange(effective_at, until_at)
            )
    except IntegrityError as error:
        if checks.constraint(error) != "pauses_of_a_subscription_do_not_overlap":
            raise
        raise AlreadyPaused(f"{subscription.key} rests already at some time of that pause.") from error
    dues.settle(subscription, before=before, since=effective_at)
    return subscription


@transaction.atomic
def resume(*, subscription: Subscription, effective_at: datetime) -> Subscription:
    """The subscription, whose pause ends at the instant; one that begins only then is taken back.

    Raises a SubscriptionRefused.
    """
    subscription = locks.subscription(subscription_id=subscription.pk)
    checks.runs_at(subscription, effective_at)
    checks.not_finalized(subscription, effective_at)
    row = subscription.pauses.filter(validity__contains=effective_at).first()
    if row is None:
        raise NotPaused(f"{subscription.key} does not rest at {format_instant(effective_at)}.")
    before = timelines.of(subscription)
    if row.validity.lower == effective_at:
        row.delete()
    else:
        row.validity = DateTimeTZRange(row.validity.lower, effective_at)
        row.save(update_fields=["validity"])
    dues.settle(subscription, before=before, since=effective_at)
    return subscription
