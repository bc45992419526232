"""``/api/v1/plans/{code}/versions``: the published versions of a plan, and what each changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from billing import publishing, versions
from billing.api import shapes
from billing.api.views import View, found
from billing.api.yaml_rendering import YamlRenderer
from billing.differences import Change
from billing.models import Plan, PlanVersion
from metering import periods
from metering.api import pages, parameters
from metering.api.parameters import Parameters

_NUMBER_MAX = 10**9


class Against(Parameters):
    """``against``: the number of the version to compare with; without it the one before."""

    against = serializers.IntegerField(required=False, min_value=1, max_value=_NUMBER_MAX)


class Chosen(Parameters):
    """``version``: the number of a version; without it the last one."""

    version = serializers.IntegerField(required=False, min_value=1, max_value=_NUMBER_MAX)


class Versions(View):
    """The versions of a plan."""

    @extend_schema(
        operation_id="list_plan_versions", parameters=[pages.PagesByNumber], responses=shapes.Versions
    )
    def get(self, request: Request, code: str) -> Response:
        """A page of versions, the latest first."""
        asked = parameters.read(pages.PagesByNumber, request)
        rows = found(Plan.objects.all(), "plan", code=code).versions.select_related("plan")
        page = pages.page(rows, by="number", asked=asked, is_descending=True)
        return Response(shapes.Versions(versions=[_shown(each) for each in page.rows], next=page.next))


class OneVersion(View):
    """A version of a plan."""

    @extend_schema(operation_id="get_plan_version", responses=shapes.FullVersion)
    def get(self, request: Request, code: str, number: int) -> Response:
        """The version with its document as it was written, and the one that usage is rated by."""
        parameters.read(parameters.NoParameters, request)
        return Response(shown_in_full(_version(code, number)))


class Changes(View):
    """What a version changed."""

    @extend_schema(operation_id="diff_plan_versions", parameters=[Against], responses=shapes.Difference)
    def get(self, request: Request, code: str, number: int) -> Response:
        """The changes of the version against an earlier or later one, in words and amounts."""
        new = _version(code, number)
        against = parameters.read(Against, request).get("against", number - 1)
        if not against:
            raise exceptions.ValidationError({"against": ["the first version has none before it"]})
        changes = publishing.changes_between(old=_version(code, against), new=new)
        return Response(
            shapes.Difference(
                plan=code,
                outcome=publishing.PUBLISHED if changes else publishing.UNCHANGED,
                currency=new.plan.currency,
                changes=shown_changes(changes),
            )
        )


class Document(View):
    """The document of a plan, as it was written. Applied again it changes nothing."""

    renderer_classes = [*api_settings.DEFAULT_RENDERER_CLASSES, YamlRenderer]

    @extend_schema(
        operation_id="export_plan",
        parameters=[Chosen],
        responses={
            (200, "application/json"): {"$ref": "#/components/schemas/PlanDocument"},
            (200, "application/yaml"): str,
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """The bare document of the last version, or of another one; as YAML where that is accepted."""
        asked = parameters.read(Chosen, request)
        return Response(_version(code, asked.get("version")).document)


def _version(code: str, number: int | None) -> PlanVersion:
    """The version of that number, without one the last. Raises NotFound."""
    plan = found(Plan.objects.all(), "plan", code=code)
    rows = plan.versions.select_related("plan").order_by("-number")
    version: PlanVersion | None = rows.filter(**{} if number is None else {"number": number}).first()
    if version is None:
        raise exceptions.NotFound(f"The plan {plan.code} has no version {number}.")
    return version


def _shown(version: PlanVersion) -> shapes.Version:
    return shapes.Version(**_head(version))


def shown_in_full(version: PlanVersion) -> shapes.FullVersion:
    """The version as the API answers it, with its documents."""
    return shapes.FullVersion(
        **_head(version),
        document=version.document,
        rated_document=versions.rated_document(version),
        price_sources=version.price_sources or {},
    )


def _head(version: PlanVersion) -> dict[str, Any]:
    effective_at = version.effective_at
    return {
        "plan": version.plan.code,
        "number": version.number,
        "currency": version.plan.currency,
        "effective_at": periods.format_instant(effective_at) if effective_at else None,
        "migration": version.migration,
        "published_at": periods.format_instant(version.published_at),
        "published_by": version.published_by,
    }


def shown_changes(changes: Sequence[Change]) -> list[shapes.Change]:
    """The changes as the API answers them."""
    return [
        shapes.Change(
            kind=change.kind,
            node=change.node,
            field=change.field,
            old=change.old,
            new=change.new,
            currency=change.currency,
            text=change.text,
        )
        for change in changes
    ]
