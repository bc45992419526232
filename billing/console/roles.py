"""Who may do what in the console: five roles, kept as groups of Django's users.

A person may have several. The groups belong to Meterbook: every migration sets their permissions anew, so
that a new page finds its readers. Other sets of permissions are groups of another name.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, QuerySet

VIEWER, PRICING, FINANCE, DEVELOPER, OWNER = "Viewer", "Pricing", "Finance", "Developer", "Owner"

_OURS = ("billing", "metering")
# Neither usage nor money: who may send and read events is the developers' and the owner's subject.
_SECRETS = ("apikey", "webhooksource")

# What a role may do beyond looking, as "add" and "change" of models.
_WRITES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    VIEWER: {},
    PRICING: {
        "add": ("plan", "planversion", "meter", "meterversion"),
        "change": ("plan", "meter"),
    },
    FINANCE: {
        "add": (
            *("customer", "customersubject", "subscription", "subscriptionphase"),
            *("invoice", "creditnote", "payment", "taxrate", "customertax", "export", "invoicerun"),
        ),
        "change": (
            *("customer", "customersubject", "subscription", "subscriptionphase"),
            *("invoice", "taxrate", "customertax", "seller", "invoicerun"),
        ),
    },
    DEVELOPER: {
        "add": ("apikey", "webhooksource", "meter", "meterversion"),
        "change": ("apikey", "webhooksource", "meter", "rejectedevent"),
    },
}


@transaction.atomic
def ensure() -> None:
    """Makes the five groups where they are missing, and gives each its permissions."""
    for role in (*_WRITES, OWNER):
        group, _is_new = Group.objects.get_or_create(name=role)
        group.permissions.set(permissions(role))


def permissions(role: str) -> QuerySet[Permission]:
    """The permissions of a role."""
    ours = Permission.objects.filter(content_type__app_label__in=_OURS)
    if role == OWNER:
        return ours | Permission.objects.filter(content_type__app_label="auth", content_type__model="user")
    writes = _WRITES[role]
    secrets = () if role == DEVELOPER else _SECRETS
    allowed = Q(codename__startswith="view_") & ~Q(content_type__model__in=secrets)
    for action, models in writes.items():
        allowed |= Q(codename__in=[f"{action}_{model}" for model in models])
    return ours.filter(allowed)
