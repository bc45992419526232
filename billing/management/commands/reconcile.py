"""`manage.py reconcile`: whether buckets are what events add up to, and invoices what usage says."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import reconciling


class Command(BaseCommand):
    help = (
        "Compares raw events with rolled-up usage, and finalized invoices with a new rating of what was "
        "stored with them and of usage as it is now. Changes none of them, and keeps the result for the "
        "console; exit status 1 where they differ."
    )

    def handle(self, **_options: Any) -> None:
        def tell(difference: reconciling.Difference) -> None:
            self.stdout.write(f"{difference.where}: {difference.what}")

        found = reconciling.record(clock=timezone.now, tell=tell).difference_count
        if found:
            raise CommandError("One difference found." if found == 1 else f"{found} differences found.")
        self.stdout.write("No difference found.")
