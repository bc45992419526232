"""Addresses: /healthz, the console, the API. What `metering.door` answers does not arrive here."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from config import health
from config.api import problems, reference

urlpatterns = [
    path("healthz", health.healthz),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("api/v1/openapi.json", reference.openapi, name="openapi"),
    path("api/v1/docs/", reference.page, name="api_reference"),
    path("api/v1/", include("metering.api.urls")),
    path("api/v1/", include("billing.api.urls")),
    re_path(r"^api/", problems.nothing_here),
    path("console/", include("metering.console.urls")),
    path("console/", include("billing.console.urls")),
    path("console/", admin.site.urls),
]
