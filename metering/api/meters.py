"""``/api/v1/meters``: what is counted, and how. A definition is created, read and archived, never changed."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering import defining, periods
from metering.api import bodies, pages, parameters, shapes
from metering.api.bodies import DocumentParser
from metering.api.effects import once
from metering.models import ApiKey, Meter, MeterVersion, epoch


class DefinedOtherwise(exceptions.APIException):
    """A meter of the same slug has another definition."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "meter_changed"


class RollUpsRun(exceptions.APIException):
    """The moment for a new meter did not come."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "roll_ups_busy"


# Described where the whole schema is put together.
METER_DOCUMENT = {"application/json": {"$ref": "#/components/schemas/MeterDocument"}}


class Meters(APIView):
    """The meters."""

    parser_classes = [DocumentParser]

    @property
    def scope(self) -> str:
        """Of the key: whoever creates a meter needs more than whoever reads them."""
        return (ApiKey.Scope.MANAGE if self.request.method == "POST" else ApiKey.Scope.READ).value

    @extend_schema(operation_id="list_meters", parameters=[pages.PagesByText], responses=shapes.Meters)
    def get(self, request: Request) -> Response:
        """A page of meters by slug, and in ``next`` the cursor of the page behind it, or null."""
        asked = parameters.read(pages.PagesByText, request)
        page = pages.page(Meter.objects.prefetch_related("versions"), by="slug", asked=asked)
        return Response(shapes.Meters(meters=[_shown(_newest(each)) for each in page.rows], next=page.next))

    @extend_schema(
        operation_id="create_meter",
        request=METER_DOCUMENT,
        responses={200: shapes.Meter, 201: shapes.Meter},
    )
    @once
    def post(self, request: Request) -> Response:
        """The meter of the document in the body: 201 where it is new, 200 where it was there as written."""
        if not isinstance(request.data, dict):
            raise exceptions.ParseError("The body is the document of one meter, a JSON object.")
        try:
            (applied,) = defining.apply(document=request.data, at=timezone.now())
        except defining.MeterChanged as error:
            raise DefinedOtherwise(str(error)) from None
        except epoch.RollUpsBusy as error:
            raise RollUpsRun(str(error)) from None
        is_new = applied.outcome == defining.CREATED
        return Response(
            _shown(applied.version),
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
            headers={"Location": f"{request.path.rstrip('/')}/{applied.slug}"} if is_new else None,
        )


class OneMeter(APIView):
    """A meter."""

    scope = ApiKey.Scope.READ.value

    @extend_schema(operation_id="get_meter", responses=shapes.Meter)
    def get(self, request: Request, slug: str) -> Response:
        """Its definition, and whether it is archived."""
        return Response(_shown(newest_version(slug)))


class Archive(APIView):
    """The end of a meter for everything new."""

    scope = ApiKey.Scope.MANAGE.value
    parser_classes = [DocumentParser]

    @extend_schema(operation_id="archive_meter", request=None, responses=shapes.Meter)
    @once
    def post(self, request: Request, slug: str) -> Response:
        """The meter, archived; a second time nothing changes."""
        bodies.read(bodies.NothingToSay, request.data)
        newest_version(slug)
        defining.archive(slug=slug, at=timezone.now())
        return Response(_shown(newest_version(slug)))


def newest_version(slug: str) -> MeterVersion:
    """The newest version of the meter, archived or not. Raises NotFound."""
    versions = MeterVersion.objects.select_related("meter").filter(meter__slug=slug)
    version = versions.order_by("number").last() if "\0" not in slug else None
    if version is None:
        raise exceptions.NotFound(f"There is no meter {slug[:100]}.")
    return version


def _newest(meter: Meter) -> MeterVersion:
    return max(meter.versions.all(), key=lambda version: version.number)


def _shown(version: MeterVersion) -> shapes.Meter:
    meter = version.meter
    return shapes.Meter(
        slug=meter.slug,
        version=version.number,
        document=version.document,
        created_at=periods.format_instant(meter.created_at),
        archived_at=periods.format_instant(meter.archived_at) if meter.archived_at else None,
        is_built=version.is_built,
    )
