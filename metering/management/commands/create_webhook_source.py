"""``manage.py create_webhook_source NAME --adapter ADAPTER``: prints the signing secret, nothing else."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metering import issuing
from metering.models import WebhookSource


class Command(BaseCommand):
    help = "Makes a metering webhook at /webhooks/metering/NAME and prints the secret that signs deliveries."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="letters, digits, - and _: it stands in the address")
        parser.add_argument(
            "--adapter",
            required=True,
            metavar="ADAPTER",
            help=f"what the sender speaks: {', '.join(WebhookSource.Adapter.values)}",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            _, secret = issuing.issue_webhook_source(
                name=options["name"], adapter=options["adapter"], at=datetime.now(tz=UTC)
            )
        except issuing.CredentialInvalid as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
