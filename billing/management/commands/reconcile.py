"""`manage.py reconcile`: whether buckets are what events add up to, and invoices what usage says."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import reconciling


class Command(BaseCommand):
    help = (
        "Compares raw events with rolled-up usage, and finalized invoices with a new rating of what was "
        "stored with them and of usage as it is now. Changes nothing; exit status 1 where they differ."
    )

    def handle(self, **_options: Any) -> None:
        now = timezone.now()
        found = 0
        for differences in (reconciling.usage_buckets(at=now), reconciling.invoices(at=now)):
            for difference in differences:
                self.stdout.write(f"{difference.where}: {difference.what}")
                found += 1
        if found:
            raise CommandError("One difference found." if found == 1 else f"{found} differences found.")
        self.stdout.write("No difference found.")
