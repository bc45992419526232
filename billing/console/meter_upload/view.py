"""The page that applies a meter's document."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from billing.console import documents
from metering import defining
from metering.console import pages
from metering.documents import DocumentError
from metering.models import Meter


@pages.needs("metering.add_meterversion")
def page(request: HttpRequest) -> HttpResponse:
    """The form. A document that is applied already changes nothing."""
    return documents.upload(
        request,
        kind="meter",
        title="Define a meter",
        initial="",
        applying=lambda document: _apply(request, document),
    )


def _apply(request: HttpRequest, document: Any) -> HttpResponse:
    try:
        (applied,) = defining.apply(document=document, at=timezone.now())
    except defining.MeterChanged as error:
        raise DocumentError("invalid", str(error), "meter") from error
    if applied.outcome == "unchanged":
        messages.info(request, f"{applied.slug} is defined in exactly this way already: nothing changed.")
    else:
        messages.success(
            request, f"{applied.slug} is defined. Events that are stored already are counted, too."
        )
    return redirect("admin:metering_meter_change", Meter.objects.get(slug=applied.slug).pk)
