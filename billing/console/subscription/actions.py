"""What a person does with a subscription. It counts from an instant on, mostly now or the period's end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from billing import subscribing, timelines, versions
from billing.console import actions, fields
from billing.console.actions import Action
from billing.console.subscription import rows
from billing.models import Plan, Subscription

NOW, PERIOD_END, TYPED = "now", "period_end", "typed"


class WhenForm(forms.Form):
    """From which instant on."""

    when = forms.ChoiceField(
        label="From when on",
        choices=[(PERIOD_END, "The end of the running period"), (NOW, "Now"), (TYPED, "The instant below")],
        widget=forms.Select(attrs={"class": "c-input"}),
    )
    effective_at = fields.InstantField(label="Instant (UTC)", required=False)

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("when") == TYPED and not self.cleaned_data.get("effective_at"):
            self.add_error("effective_at", "Say which instant.")
        return self.cleaned_data


class PlanForm(WhenForm):
    """Onto which plan."""

    plan = forms.ModelChoiceField(queryset=Plan.objects.order_by("name", "pk"), empty_label="Choose a plan")
    overrides = fields.MappingField(
        help_text='By component code, as JSON: {"gpu": {"quantity": "16"}}. Empty: the plan as it is.'
    )
    field_order = ("plan", "overrides", "when", "effective_at")


class OverridesForm(WhenForm):
    """With which overrides."""

    overrides = fields.MappingField(
        help_text='By component code, as JSON: {"gpu": {"quantity": "16"}}. Empty: the plan as it is.'
    )
    field_order = ("overrides", "when", "effective_at")


class PauseForm(WhenForm):
    """How long."""

    until_at = fields.InstantField(
        label="Until (UTC)", required=False, help_text="Empty: until somebody resumes it."
    )


class AnchorForm(forms.Form):
    """Counted from which day."""

    anchor_date = forms.DateField(
        label="Periods counted from",
        widget=forms.DateInput(attrs={"class": "c-input", "type": "date"}),
        help_text="A date on which a period begins, such as the 15th of a month.",
    )


def page(request: HttpRequest, key: str, name: str) -> HttpResponse:
    """The page of the action ``name`` of a subscription."""
    return actions.page(request, action=ACTIONS.get(name), find=lambda: rows.found(key), address=_address)


def _address(subscription: Subscription) -> str:
    return reverse("console:subscription", args=[subscription.key])


def _instant(subscription: Subscription, values: dict[str, Any], at: datetime) -> datetime:
    if values["when"] == NOW:
        return at
    if values["when"] == TYPED:
        typed: datetime = values["effective_at"]
        return typed
    return subscribing.period_end(subscription=subscription, at=at)


def _change_plan(
    subscription: Subscription, values: dict[str, Any], at: datetime, _by: str
) -> tuple[Subscription, str]:
    done = subscribing.change_plan(
        subscription=subscription,
        plan=values["plan"],
        effective_at=_instant(subscription, values, at),
        overrides=values["overrides"],
    )
    return done, f"{done.key} moves to {values['plan'].name}."


def _change_overrides(
    subscription: Subscription, values: dict[str, Any], at: datetime, _by: str
) -> tuple[Subscription, str]:
    done = subscribing.change_overrides(
        subscription=subscription,
        overrides=values["overrides"],
        effective_at=_instant(subscription, values, at),
    )
    return done, f"{done.key} has other overrides."


def _pause(
    subscription: Subscription, values: dict[str, Any], at: datetime, _by: str
) -> tuple[Subscription, str]:
    done = subscribing.pause(
        subscription=subscription,
        effective_at=_instant(subscription, values, at),
        until_at=values["until_at"],
    )
    return done, f"{done.key} has a pause."


def _resume(
    subscription: Subscription, values: dict[str, Any], at: datetime, _by: str
) -> tuple[Subscription, str]:
    done = subscribing.resume(subscription=subscription, effective_at=_instant(subscription, values, at))
    return done, f"{done.key} goes on."


def _cancel(
    subscription: Subscription, values: dict[str, Any], at: datetime, _by: str
) -> tuple[Subscription, str]:
    done = subscribing.cancel(subscription=subscription, end_at=_instant(subscription, values, at))
    return done, f"{done.key} ends at {done.end_at:%Y-%m-%d %H:%M} UTC."


def _keep(
    subscription: Subscription, _values: dict[str, Any], at: datetime, _by: str
) -> tuple[Subscription, str]:
    done = subscribing.keep(subscription=subscription, at=at)
    return done, f"{done.key} has no end any more."


def _change_anchor(
    subscription: Subscription, values: dict[str, Any], at: datetime, _by: str
) -> tuple[Subscription, str]:
    done = subscribing.change_anchor(subscription=subscription, anchor_date=values["anchor_date"], at=at)
    return done, f"The periods of {done.key} are counted from {done.anchor_date}, from the next one on."


def _runs(subscription: Subscription, at: datetime) -> bool:
    return subscription.end_at is None or subscription.end_at > at


def _rests(subscription: Subscription, at: datetime) -> bool:
    return _runs(subscription, at) and any(
        pause.validity.upper is None or pause.validity.upper > at for pause in subscription.pauses.all()
    )


def _ends_later(subscription: Subscription, at: datetime) -> bool:
    return subscription.end_at is not None and subscription.end_at > at


def _overrides_now(subscription: Subscription, at: datetime) -> dict[str, Any]:
    phase = timelines.of(subscription).phase_at(at)
    return {"overrides": fields.mapping_text(dict(phase.overrides or {})) if phase else ""}


_REFUSALS = (subscribing.SubscriptionRefused, versions.PlanNotInForce)
ACTIONS = {
    "plan": Action(
        title="Change the plan",
        button="Change it",
        permission="billing.change_subscription",
        is_possible=_runs,
        consequences=lambda row: [
            "The new plan counts from zero: its tiers and allowances begin at the instant.",
            "Fees of both plans are due for their exact shares of the period; what was invoiced in advance "
            "and is not used comes back with the next invoice.",
            f"Whatever was agreed for {row.key} after the instant is replaced.",
        ],
        run=_change_plan,
        refusals=_REFUSALS,
        form=PlanForm,
    ),
    "overrides": Action(
        title="Change quantities and overrides",
        button="Change them",
        permission="billing.change_subscription",
        is_possible=_runs,
        consequences=lambda _row: [
            "These overrides, and no others, hold from the instant on; tiers go on counting.",
            "Fees are due for the exact share of the period before and after it.",
        ],
        run=_change_overrides,
        refusals=_REFUSALS,
        form=OverridesForm,
        initial=_overrides_now,
    ),
    "pause": Action(
        title="Pause",
        button="Pause it",
        permission="billing.change_subscription",
        is_possible=lambda row, at: _runs(row, at) and not _rests(row, at),
        consequences=lambda _row: [
            "No fees are due while it rests. Usage in a pause is not charged, but listed as unbilled.",
            "Tiers and allowances of the period go on counting after the pause.",
        ],
        run=_pause,
        refusals=_REFUSALS,
        form=PauseForm,
    ),
    "resume": Action(
        title="Resume",
        button="Go on",
        permission="billing.change_subscription",
        is_possible=_rests,
        consequences=lambda _row: ["The pause ends at the instant; usage and fees count from then on."],
        run=_resume,
        refusals=_REFUSALS,
        form=WhenForm,
        initial=lambda _row, _at: {"when": NOW},
    ),
    "anchor": Action(
        title="Count periods from another day",
        button="Change it",
        permission="billing.change_subscription",
        is_possible=_runs,
        consequences=lambda _row: [
            "The running period keeps its bounds. The next one runs from its end to the first day of the new "
            "count, and its fees are due for that share.",
        ],
        run=_change_anchor,
        refusals=_REFUSALS,
        form=AnchorForm,
        initial=lambda row, _at: {"anchor_date": row.anchor_date},
    ),
    "keep": Action(
        title="Take the end back",
        button="Keep it",
        permission="billing.change_subscription",
        is_possible=_ends_later,
        consequences=lambda row: [f"{row.key} goes on with its last phase, without an end."],
        run=_keep,
        refusals=_REFUSALS,
    ),
    "cancel": Action(
        title="Cancel",
        button="Cancel the subscription",
        permission="billing.change_subscription",
        is_possible=_runs,
        consequences=lambda row: [
            f"{row.key} ends at the instant. Its last invoice follows when the running period has ended.",
            "Fees are due for the exact share of the last period; what was invoiced in advance for the rest "
            "comes back.",
        ],
        run=_cancel,
        refusals=_REFUSALS,
        form=WhenForm,
        is_grave=True,
    ),
}
