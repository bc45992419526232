"""The API's own description: /api/v1/openapi.json, and a page to read it and to try requests on."""

from __future__ import annotations

import functools

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

MAX_AGE_S = 300


def openapi(_request: HttpRequest) -> HttpResponse:
    """The description as OpenAPI 3.1. It holds nothing secret: no key is needed to read it."""
    answer = HttpResponse(text(), content_type="application/vnd.oai.openapi+json")
    answer["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    return answer


def page(request: HttpRequest) -> HttpResponse:
    """Swagger UI, with its script and style from this server."""
    return render(request, "api/reference.html")


@functools.cache
def text() -> bytes:
    """The description, made once: it is the same as long as the program is."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    written: bytes = OpenApiJsonRenderer().render(schema, renderer_context={})
    return written + b"\n"
