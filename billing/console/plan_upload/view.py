"""The pages that publish a plan's document: the document, then what it would change, then it is done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from billing import publishing
from billing.console import documents
from billing.console.plan_upload import review
from billing.documents import texts
from billing.models import PlanVersion
from metering.console import pages

PUBLISH, REVIEW_AGAIN, BACK = "publish", "review", "back"
TITLE = "Publish a plan"


@pages.needs("billing.add_planversion")
def page(request: HttpRequest) -> HttpResponse:
    """The form, filled with the newest version of ``?plan=CODE``; with a document in it, what it changes."""
    if request.POST.get("asked") == BACK:
        return documents.form_with(request, kind="plan", title=TITLE, text=request.POST.get("text", ""))
    return documents.upload(
        request,
        kind="plan",
        title=TITLE,
        initial=_newest(request.GET.get("plan", "")),
        applying=lambda document: _answer(request, document),
    )


def _answer(request: HttpRequest, document: Any) -> HttpResponse:
    """Publishes what was looked at before; a document that arrives for the first time is only looked at."""
    asked, at = request.POST.get("asked", ""), timezone.now()
    if asked not in (PUBLISH, REVIEW_AGAIN):
        return _review(request, document, review.of(document=document, at=at), review.when(document))
    form = review.WhenForm(request.POST)
    if not form.is_valid():
        return _review(request, document, review.of(document=document, at=at), form, status=400)
    document = review.changed(document, form)
    if asked == PUBLISH:
        applied = publishing.apply(document=document, at=at, by=request.user.get_username())
        messages.success(request, f"{applied.code}: version {applied.version.number} is published.")
        return redirect("console:plan_version", code=applied.code, number=applied.version.number)
    return _review(request, document, review.of(document=document, at=at), form)


def _review(
    request: HttpRequest, document: Any, seen: review.Review, form: review.WhenForm, *, status: int = 200
) -> HttpResponse:
    if not seen.changes:
        newest = PlanVersion.objects.filter(plan__code=document["code"]).order_by("-number")[0]
        messages.info(
            request, f"{document['code']} is published in exactly this form already: nothing changed."
        )
        return redirect("console:plan_version", code=document["code"], number=newest.number)
    return pages.render(
        request, "plan_review.html", title=f"Publish {seen.plan}?", review=seen, form=form, status=status
    )


def _newest(code: str) -> str:
    """The newest version's document as YAML, to start the next one from; "" for an unknown plan."""
    if "\0" in code:  # which the database takes no text with
        return ""
    version = PlanVersion.objects.filter(plan__code=code).order_by("-number").first()
    return texts.of(version.document) if version else ""
