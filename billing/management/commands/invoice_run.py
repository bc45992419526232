"""`manage.py invoice_run --as-of INSTANT`: invoices every period that has ended."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.invoicing import finalizing, running
from billing.models import Invoice
from metering import periods

_HEADER = ("number", "customer", "subscription", "period", "total", "")


class Command(BaseCommand):
    help = "Invoices every subscription period that ended by an instant (default: now). Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--as-of", metavar="INSTANT", help="such as 2026-11-01T00:00:00Z; not in the future"
        )

    def handle(self, *, as_of: str | None = None, **_options: Any) -> None:
        now = timezone.now()
        try:
            summary = running.run(as_of=periods.parse_instant(as_of) if as_of else now, at=now)
        except (periods.InstantInvalid, running.AsOfInTheFuture, finalizing.SellerMissing) as error:
            raise CommandError(str(error)) from error
        if summary.is_empty:
            self.stdout.write("Nothing was due.")
            return
        self._print([_HEADER, *(row for invoice in summary.finalized for row in _rows(invoice))])
        for invoice in summary.blocked:
            self.stdout.write(
                f"draft {invoice.pk} of {invoice.customer.key} stays a draft: {invoice.blocked_reason}"
            )
        for invoice in summary.drafted:
            self.stdout.write(
                f"draft {invoice.pk} of {invoice.customer.key} follows late usage until "
                f"{invoice.finalize_at:%Y-%m-%d %H:%M} UTC"
            )
        kept = len(summary.blocked) + len(summary.drafted)
        self.stdout.write(f"{len(summary.finalized)} finalized, {kept} kept as drafts")
        if summary.failed:
            raise CommandError(
                "\n".join(f"{what} failed: {reason}" for what, reason in summary.failed.items())
            )

    def _print(self, rows: list[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            self.stdout.write(
                "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            )


def _rows(invoice: Invoice) -> list[tuple[str, ...]]:
    return [
        (
            invoice.number,
            invoice.customer.key,
            service_period.subscription.key,
            f"{service_period.start_at:%Y-%m-%d} to {service_period.end_at:%Y-%m-%d}",
            f"{service_period.total:f}",
            invoice.currency,
        )
        for service_period in invoice.service_periods.select_related("subscription")
    ]
