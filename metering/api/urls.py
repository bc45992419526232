"""Addresses of the API, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from metering.api.events import Events
from metering.api.meters import Archive, Meters, OneMeter
from metering.api.query import Query

app_name = "metering_api"
urlpatterns = [
    path("events", Events.as_view(), name="events"),
    path("meters", Meters.as_view(), name="meters"),
    path("meters/<str:slug>", OneMeter.as_view(), name="meter"),
    path("meters/<str:slug>/archive", Archive.as_view(), name="meter_archive"),
    path("meters/<str:slug>/query", Query.as_view(), name="meter_query"),
]
