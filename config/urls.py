"""Addresses: /healthz, the console, the API. What `metering.door` answers does not arrive here."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config import health

urlpatterns = [
    path("healthz", health.healthz),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("console/", include("billing.console.urls")),
    path("console/", admin.site.urls),
]
