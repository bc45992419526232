"""What publishing a plan's document would do, before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms

from billing import publishing, reach
from billing.console import fields
from billing.documents import plan as plans
from billing.documents import texts
from billing.models import Plan, PlanVersion
from metering.periods import format_instant


@dataclass(frozen=True)
class Review:
    """``changes``: in words; empty where the document says what is published already."""

    plan: str
    is_new: bool
    changes: list[str]
    effective_at: datetime
    reach: reach.Reach
    text: str


class WhenForm(forms.Form):
    """From when on, and for whom, the version counts. Both stand in the document, too."""

    effective_at = fields.InstantField(
        label="Takes effect (UTC)", required=False, help_text="Empty: at the moment of publishing."
    )
    migration = forms.ChoiceField(
        label="Existing subscriptions",
        choices=PlanVersion.Migration.choices,
        widget=forms.Select(attrs={"class": "c-input"}),
    )


def of(*, document: Mapping[str, Any], at: datetime) -> Review:
    """The review of a document, were it published at ``at``. Raises DocumentError as publishing does."""
    changes = [str(change) for change in publishing.difference(document=document, at=at).changes]
    parsed = plans.parse(document)
    is_new = not Plan.objects.filter(code=parsed.code).exists()
    effective_at = parsed.effective_at or at
    return Review(
        plan=parsed.name,
        is_new=is_new,
        changes=changes,
        effective_at=effective_at,
        reach=reach.of(code=parsed.code, migration=parsed.migration, effective_at=effective_at),
        text=texts.of(document),
    )


def when(document: Mapping[str, Any]) -> WhenForm:
    """The form, filled with what the document says."""
    parsed = plans.parse(document)
    at = parsed.effective_at
    return WhenForm(initial={"effective_at": at and at.astimezone(UTC), "migration": parsed.migration})


def changed(document: Mapping[str, Any], form: WhenForm) -> dict[str, Any]:
    """The document with what a valid form says about when and for whom; as it is where it says so already."""
    told, parsed = form.cleaned_data, plans.parse(document)
    new = dict(document)
    if told["effective_at"] != parsed.effective_at:
        new["effective_at"] = told["effective_at"] and format_instant(told["effective_at"])
    if told["migration"] != parsed.migration:
        new["migration"] = told["migration"]
    return new
