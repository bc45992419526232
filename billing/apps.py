from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # After django.contrib.auth has made the permissions of the new tables.
        post_migrate.connect(_ensure_roles, sender=self, dispatch_uid="billing.roles")


def _ensure_roles(**_signal: Any) -> None:
    from billing.console import roles

    roles.ensure()
