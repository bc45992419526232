"""The looks and the menu of the console (django-unfold). Pages lie in the apps; here they are only named."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _file(path: str) -> Any:
    # Called at each page: the address depends on the storage of static files, which needs the settings.
    return lambda _request: static(path)


def _entry(title: str, icon: str, route: str, permission: str | None = None) -> dict[str, Any]:
    entry: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(route)}
    # By the whole beginning of the path: unfold would also light up "Events" on "Rejected events".
    entry["active"] = lambda request: _is_at(request, route)
    if permission is not None:
        entry["permission"] = lambda request: request.user.has_perm(permission)
    return entry


def _is_at(request: HttpRequest, route: str) -> bool:
    address = reverse(route)
    return request.path == address if route == "admin:index" else request.path.startswith(address)


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Meterbook",
    "SITE_HEADER": "Meterbook",
    "SITE_SUBHEADER": "Usage metering and billing",
    "SITE_URL": None,
    "SITE_ICON": _file("console/meterbook.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _file("console/meterbook.svg")},
    ],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [_file("console/console.css")],
    "DASHBOARD_CALLBACK": "billing.console.dashboard.view.fill",
    "COLORS": {
        "primary": {
            "50": "#eefbf8",
            "100": "#d3f4ec",
            "200": "#a9e7da",
            "300": "#73d3c2",
            "400": "#3fb7a5",
            "500": "#209a89",
            "600": "#117a6d",
            "700": "#106259",
            "800": "#124e48",
            "900": "#13413d",
            "950": "#042624",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {"items": [_entry("Dashboard", "monitoring", "admin:index")]},
            {
                "title": "Billing",
                "items": [
                    _entry("Invoices", "receipt_long", "console:invoices", "billing.view_invoice"),
                    _entry("Invoice runs", "play_circle", "console:runs", "billing.view_invoicerun"),
                    _entry("Exports", "download", "console:exports", "billing.view_export"),
                    _entry(
                        "Customers",
                        "apartment",
                        "admin:billing_customer_changelist",
                        "billing.view_customer",
                    ),
                    _entry(
                        "Subscriptions",
                        "autorenew",
                        "admin:billing_subscription_changelist",
                        "billing.view_subscription",
                    ),
                ],
            },
            {
                "title": "Pricing",
                "items": [
                    _entry("Plans", "sell", "admin:billing_plan_changelist", "billing.view_plan"),
                    _entry("Meters", "speed", "admin:metering_meter_changelist", "metering.view_meter"),
                ],
            },
            {
                "title": "Planning",
                "items": [
                    _entry("Estimate", "calculate", "console:estimate", "billing.view_plan"),
                    _entry("Advice", "balance", "console:advice", "billing.view_plan"),
                    _entry("What if", "rule", "console:what_ifs", "billing.view_invoice"),
                    _entry("Price trends", "trending_down", "console:trends", "billing.view_plan"),
                ],
            },
            {
                "title": "Usage",
                "items": [
                    _entry("Explorer", "query_stats", "console:usage", "metering.view_usageseries"),
                    _entry("Unbilled usage", "money_off", "console:unbilled", "billing.view_customersubject"),
                    _entry("Events", "bolt", "console:events", "metering.view_event"),
                    _entry(
                        "Event batches",
                        "inventory_2",
                        "admin:metering_eventbatch_changelist",
                        "metering.view_eventbatch",
                    ),
                    _entry(
                        "Rejected events",
                        "report",
                        "quarantine:list",
                        "metering.view_rejectedevent",
                    ),
                ],
            },
            {
                "title": "Settings",
                "items": [
                    _entry("API keys", "key", "admin:metering_apikey_changelist", "metering.view_apikey"),
                    _entry(
                        "Webhook sources",
                        "webhook",
                        "admin:metering_webhooksource_changelist",
                        "metering.view_webhooksource",
                    ),
                    _entry(
                        "Tax rates", "percent", "admin:billing_taxrate_changelist", "billing.view_taxrate"
                    ),
                    _entry("Seller", "storefront", "admin:billing_seller_changelist", "billing.view_seller"),
                    _entry("Users", "group", "admin:auth_user_changelist", "auth.view_user"),
                ],
            },
        ],
    },
}
