"""The page of one published version of a plan."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from billing.console.plan_version import outline
from billing.documents import texts
from billing.models import PlanVersion
from metering.console import pages


@pages.needs("billing.view_planversion")
def page(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """What the version sells, in words and as the document that was published."""
    version = PlanVersion.objects.select_related("plan").filter(plan__code=code, number=number).first()
    if version is None:
        raise Http404("There is no such version of a plan.")
    return pages.render(
        request,
        "plan_version.html",
        title=f"{version.plan.name}, version {version.number}",
        version=version,
        rows=outline.rows(version.document, outline.fixed(version)),
        document=texts.of(version.document),
        is_newest=not PlanVersion.objects.filter(plan=version.plan_id, number__gt=number).exists(),
    )
