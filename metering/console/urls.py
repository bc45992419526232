"""Addresses of the pages, below /console/."""

from __future__ import annotations

from django.urls import path

from metering.console.quarantine import view as quarantine

app_name = "quarantine"
urlpatterns = [
    path("quarantine/", quarantine.listing, name="list"),
    path("quarantine/<int:pk>/", quarantine.detail, name="event"),
]
