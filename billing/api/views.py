"""What the views of the money side have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.db.models import Model, QuerySet
from rest_framework import exceptions, permissions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import acting
from billing.api import refusals
from metering.api import parameters
from metering.api.bodies import DocumentParser
from metering.models import ApiKey


class View(APIView):
    """Whoever changes something needs more than whoever reads."""

    parser_classes = [DocumentParser]
    # What arguments are called in the body, where it is another name.
    members: Mapping[str, str] = refusals.MEMBERS

    @property
    def scope(self) -> str:
        is_reading = self.request.method in permissions.SAFE_METHODS
        return (ApiKey.Scope.READ if is_reading else ApiKey.Scope.MANAGE).value

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "GET":
            parameters.read(parameters.NoParameters, request)
            acting.told(by=actor(request))

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(refusals.of(exc, self.members))


def found(rows: QuerySet, what: str, **name: Any) -> Any:
    """The one row of that name. Raises NotFound, with ``what`` it is that is missing."""
    row = find(rows, **name)
    if row is None:
        raise exceptions.NotFound(f"There is no {what} {next(iter(name.values()))!s:.100}.")
    return row


def find(rows: QuerySet, **name: Any) -> Model | None:
    """The one row of that name, or None."""
    if any(isinstance(each, str) and "\0" in each for each in name.values()):
        return None
    return rows.filter(**name).first()


def named(rows: QuerySet, what: str, field: str, **name: Any) -> Any:
    """The one row that the member ``field`` of a body names. Raises ValidationError."""
    row = find(rows, **name)
    if row is None:
        raise exceptions.ValidationError({field: [f"there is no {what} {next(iter(name.values()))!s:.100}"]})
    return row


def location(request: Request, name: str) -> dict[str, str]:
    """The header that says where what a list was given can be read."""
    return {"Location": f"{request.path.rstrip('/')}/{quote(name, safe='')}"}


def actor(request: Request) -> str:
    """Who asks, as it is written down beside what they changed."""
    name = ApiKey.objects.values_list("name", flat=True).get(pk=request.auth.id)
    return f"API key {name}"
