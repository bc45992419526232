"""Usage that no invoice has: of whom, since when, why, and where to mend it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing import unbilled
from billing.console import months
from billing.models import Customer
from billing.unbilled import Reason
from metering.console import pages
from metering.models.patience import TooSlow

ROWS_MAX = 100
REASONS = {
    Reason.NO_PAYER: "Nobody pays for the subject",
    Reason.NO_SUBSCRIPTION: "Who pays has no subscription then",
    Reason.PAUSED: "The subscription rests",
    Reason.NOT_IN_PLAN: "The plan does not name the meter",
}


@pages.needs("billing.view_customersubject")
def page(request: HttpRequest) -> HttpResponse:
    """What of a month is on no invoice. Usage of meters that a plan does not name is the rule, so it is asked
    for."""
    at = timezone.now()
    month = months.chosen(request.GET, at=at)
    is_all = "all" in request.GET
    reasons = [each for each in Reason if is_all or each is not Reason.NOT_IN_PLAN]
    measured = _asked(
        lambda: unbilled.measured(
            reasons=reasons, period=month.period, after=unbilled.FIRST, limit=ROWS_MAX + 1, at=at
        )
    )
    blocked = [each for _id, each in unbilled.blocked(after=0, limit=ROWS_MAX)]
    unadjusted = [each for _id, each in unbilled.unadjusted(after=0, limit=ROWS_MAX)]
    return pages.render(
        request,
        "unbilled.html",
        title="Unbilled usage",
        month=month,
        kept={"all": "1"} if is_all else {},
        kept_query="&all=1" if is_all else "",
        is_all=is_all,
        measured=measured and [(each, REASONS[each.reason]) for each in measured],
        unmatched=_asked(lambda: unbilled.unmatched(period=month.period, after="", limit=ROWS_MAX, at=at)),
        unusable=_asked(lambda: unbilled.unusable(period=month.period, after=("", ""), limit=ROWS_MAX)),
        blocked=blocked,
        unadjusted=unadjusted,
        names=_names({each.customer_key for each in (*blocked, *unadjusted)}),
        rows_max=ROWS_MAX,
    )


def _asked(question: Callable[[], Sequence[Any]]) -> Sequence[Any] | None:
    """The rows, or None where the database would take too long."""
    try:
        return question()
    except TooSlow:
        return None


def _names(keys: set[str]) -> dict[str, str]:
    return dict(Customer.objects.filter(key__in=keys).values_list("key", "name"))
