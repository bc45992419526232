"""Addresses of the console's own pages. They stand before the admin's, under /console/."""

from __future__ import annotations

from django.urls import path

from billing.console.advice import view as advice
from billing.console.assign_subject import view as assign_subject
from billing.console.customer import actions as customer_actions
from billing.console.customer import view as customer
from billing.console.estimate import view as estimate
from billing.console.events import view as events
from billing.console.exports import view as exports
from billing.console.invoice import actions as invoice_actions
from billing.console.invoice import view as invoice
from billing.console.invoices import view as invoices
from billing.console.meter_upload import view as meter_upload
from billing.console.plan_upload import view as plan_upload
from billing.console.plan_version import view as plan_version
from billing.console.runs import view as runs
from billing.console.subscribe import view as subscribe
from billing.console.subscription import actions as subscription_actions
from billing.console.subscription import view as subscription
from billing.console.trends import view as trends
from billing.console.unbilled import view as unbilled
from billing.console.usage import view as usage
from billing.console.what_if import view as what_if

app_name = "console"
urlpatterns = [
    path("advice/", advice.page, name="advice"),
    path("assign-subject/", assign_subject.page, name="assign_subject"),
    path("customers/do/<slug:name>/<path:key>/", customer_actions.page, name="customer_action"),
    path("customers/<path:key>/", customer.page, name="customer"),
    path("subjects/<int:pk>/<slug:name>/", customer_actions.subject_page, name="subject_action"),
    path("estimate/", estimate.page, name="estimate"),
    path("events/", events.listing, name="events"),
    path("events/<uuid:key>/", events.detail, name="event"),
    path("exports/", exports.listing, name="exports"),
    path("exports/<int:pk>/<path:name>", exports.download, name="export_file"),
    path("invoices/", invoices.page, name="invoices"),
    path("invoices/<int:pk>/", invoice.page, name="invoice"),
    path("invoices/<int:pk>/pdf/", invoice.pdf, name="invoice_pdf"),
    path("invoices/<int:pk>/<slug:name>/", invoice_actions.page, name="invoice_action"),
    path("meters/upload/", meter_upload.page, name="meter_upload"),
    path("plans/upload/", plan_upload.page, name="plan_upload"),
    path("plans/<str:code>/<int:number>/", plan_version.page, name="plan_version"),
    path("runs/", runs.listing, name="runs"),
    path("runs/start/", runs.start, name="run_start"),
    path("runs/<int:pk>/retry/", runs.retry, name="run_retry"),
    path("subscribe/", subscribe.page, name="subscribe"),
    path("subscriptions/do/<slug:name>/<path:key>/", subscription_actions.page, name="subscription_action"),
    path("subscriptions/<path:key>/", subscription.page, name="subscription"),
    path("trends/", trends.page, name="trends"),
    path("unbilled/", unbilled.page, name="unbilled"),
    path("usage/", usage.page, name="usage"),
    path("usage/csv/", usage.download, name="usage_csv"),
    path("what-if/", what_if.listing, name="what_ifs"),
    path("what-if/new/", what_if.new, name="what_if_new"),
    path("what-if/<int:pk>/", what_if.page, name="what_if"),
    path("what-if/<int:pk>/cancel/", what_if.cancel, name="what_if_cancel"),
    path("what-if/<int:pk>/csv/", what_if.download, name="what_if_csv"),
]
