"""The page that publishes a plan's document."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from billing import publishing
from billing.console import documents, texts
from billing.models import PlanVersion
from metering.console import pages


@pages.needs("billing.add_planversion")
def page(request: HttpRequest) -> HttpResponse:
    """The form, filled with the newest version of ``?plan=CODE``. A known document changes nothing."""
    return documents.upload(
        request,
        kind="plan",
        title="Publish a plan",
        initial=_newest(request.GET.get("plan", "")),
        applying=lambda document: _apply(request, document),
    )


def _apply(request: HttpRequest, document: Any) -> HttpResponse:
    applied = publishing.apply(document=document, at=timezone.now(), by=request.user.get_username())
    if applied.outcome == "unchanged":
        messages.info(request, f"{applied.code} is published in exactly this form already: nothing changed.")
    else:
        messages.success(request, f"{applied.code}: version {applied.version.number} is published.")
    return redirect("console:plan_version", code=applied.code, number=applied.version.number)


def _newest(code: str) -> str:
    """The newest version's document as YAML, to start the next one from; "" for an unknown plan."""
    version = PlanVersion.objects.filter(plan__code=code).order_by("-number").first()
    return texts.of(version.document) if version else ""
