"""Addresses of the API, below /api/v1/."""

from __future__ import annotations

from django.urls import path

from billing.api.quotes import Quotes

app_name = "billing_api"
urlpatterns = [
    path("quotes", Quotes.as_view(), name="quotes"),
]
