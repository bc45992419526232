"""Addresses of the console's own pages. They stand before the admin's, under /console/."""

from __future__ import annotations

from django.urls import path

from billing.console.assign_subject import view as assign_subject
from billing.console.events import view as events
from billing.console.exports import view as exports
from billing.console.invoice import view as invoice
from billing.console.meter_upload import view as meter_upload
from billing.console.plan_upload import view as plan_upload
from billing.console.plan_version import view as plan_version
from billing.console.subscribe import view as subscribe
from billing.console.usage import view as usage

app_name = "console"
urlpatterns = [
    path("assign-subject/", assign_subject.page, name="assign_subject"),
    path("events/", events.listing, name="events"),
    path("events/<uuid:key>/", events.detail, name="event"),
    path("exports/", exports.listing, name="exports"),
    path("exports/<int:pk>/<path:name>", exports.download, name="export_file"),
    path("invoices/<int:pk>/", invoice.page, name="invoice"),
    path("invoices/<int:pk>/pdf/", invoice.pdf, name="invoice_pdf"),
    path("meters/upload/", meter_upload.page, name="meter_upload"),
    path("plans/upload/", plan_upload.page, name="plan_upload"),
    path("plans/<str:code>/<int:number>/", plan_version.page, name="plan_version"),
    path("subscribe/", subscribe.page, name="subscribe"),
    path("usage/", usage.page, name="usage"),
    path("usage/csv/", usage.download, name="usage_csv"),
]
