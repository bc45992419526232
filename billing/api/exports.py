"""``/api/v1/exports``: the files of months, asked for here and made by a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.invoices import MonthField
from billing.api.shapes import Amount
from billing.api.views import View, actor, found, location
from billing.exports import formats, places, tasks
from billing.models import Export
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body
from metering.api.effects import once
from metering.api.shapes import Cursor, Instant, Shape

_FILE = {"type": "string", "format": "binary"}


class ExportedFile(Shape):
    """A file of an export. ``totals``: the sums of its rows by currency."""

    file: str
    format: str
    content_type: str
    rows: int
    bytes: int
    sha256: str
    totals: dict[str, Amount]


class Manifest(Shape):
    """The files of an export, and the month's totals by currency: invoices less credit notes."""

    version: int
    month: str
    invoices: int
    void: int
    credit_notes: int
    totals: dict[str, Amount]
    files: list[ExportedFile]


class ExportJob(Shape):
    """An export: how far it is, and what came of it.

    ``done`` of ``expected`` invoices and credit notes are written. ``totals`` are there when it is DONE.
    """

    id: int
    month: str
    formats: Annotated[list[str], Meta(description="none: all of them")]
    state: Annotated[str, Meta(description="PENDING, RUNNING, DONE or FAILED")]
    done: int
    expected: int
    requested_at: Instant
    requested_by: str
    ended_at: Instant | None
    failure: Annotated[str, Meta(description="why it is FAILED, else empty")]
    totals: dict[str, Amount]


class ExportInFull(ExportJob):
    """An export with the manifest of its files, which is null before it is DONE."""

    manifest: Manifest | None


class ExportJobs(Shape):
    """Exports, the latest first."""

    exports: list[ExportJob]
    next: Cursor | None


class NewExport(Body):
    """``month``: such as 2026-10, see docs/exports.md; ``formats``: without it every format."""

    month = MonthField()
    formats = serializers.ListField(
        child=serializers.ChoiceField(choices=list(formats.ALL)), default=list, max_length=len(formats.ALL)
    )


class ExportFilters(pages.PagesByNumber):
    """``month``: of this month only."""

    month = MonthField(required=False)


class Exports(View):
    """The exports."""

    @extend_schema(operation_id="list_exports", parameters=[ExportFilters], responses=ExportJobs)
    def get(self, request: Request) -> Response:
        """A page of exports, the latest first."""
        asked = parameters.read(ExportFilters, request)
        rows = Export.objects.filter(month=asked["month"]) if "month" in asked else Export.objects.all()
        page = pages.page(rows, by="id", asked=asked, is_descending=True)
        return Response(ExportJobs(exports=[ExportJob(**_head(each)) for each in page.rows], next=page.next))

    @extend_schema(operation_id="ask_export", request=NewExport, responses={201: ExportInFull})
    @once
    def post(self, request: Request) -> Response:
        """The export, queued for a worker."""
        asked = bodies.read(NewExport, request.data)
        export = tasks.ask(
            month=asked["month"],
            formats=list(dict.fromkeys(asked["formats"])),
            by=actor(request),
            at=timezone.now(),
        )
        return Response(
            _shown(export), status=status.HTTP_201_CREATED, headers=location(request, str(export.pk))
        )


class OneExport(View):
    """An export."""

    @extend_schema(operation_id="get_export", responses=ExportInFull)
    def get(self, request: Request, id: int) -> Response:
        """How far the export is, and the manifest of its files."""
        parameters.read(parameters.NoParameters, request)
        return Response(_shown(_of(id)))


class OneFile(View):
    """A file of an export."""

    @extend_schema(operation_id="get_export_file", responses={(200, "*/*"): _FILE})
    def get(self, request: Request, id: int, name: str) -> FileResponse:
        """The file of that name in the manifest, as a stream of bytes. In an address, / is written as %2F."""
        parameters.read(parameters.NoParameters, request)
        export = _of(id)
        entry = next((each for each in export.files if each["file"] == name), None)
        if entry is None:
            raise exceptions.NotFound(f"The export {id} has no file {name[:100]}.")
        try:
            opened = places.opened(export=export, path=name)
        except places.FileMissing as error:
            raise exceptions.NotFound(str(error)) from None
        return FileResponse(
            opened, as_attachment=True, filename=Path(name).name, content_type=str(entry["content_type"])
        )

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # A file has one type, whatever was asked for; refusals are JSON.
        return super().perform_content_negotiation(request, force=True)


def _of(id: int) -> Export:
    export: Export = found(Export.objects.all(), "export", pk=id)
    return export


def _shown(export: Export) -> ExportInFull:
    manifest = None
    if export.manifest:
        files = [ExportedFile(**entry) for entry in export.manifest["files"]]
        manifest = Manifest(**export.manifest | {"files": files})
    return ExportInFull(**_head(export), manifest=manifest)


def _head(export: Export) -> dict[str, Any]:
    return {
        "id": export.pk,
        "month": str(export),
        "formats": export.formats,
        "state": export.state,
        "done": export.done,
        "expected": export.expected,
        "requested_at": periods.format_instant(export.made_at),
        "requested_by": export.made_by,
        "ended_at": periods.format_instant(export.ended_at) if export.ended_at else None,
        "failure": export.failed_reason,
        "totals": export.manifest.get("totals", {}),
    }
