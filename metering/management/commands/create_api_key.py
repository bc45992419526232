"""``manage.py create_api_key NAME --scope ingest``: prints a new API key and nothing else."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metering import issuing
from metering.models import ApiKey


class Command(BaseCommand):
    help = "Makes an API key and prints it. It is shown this once: only a hash of it is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="whose key it is, for people")
        parser.add_argument(
            "--scope",
            dest="scopes",
            action="append",
            required=True,
            metavar="SCOPE",
            help=f"what the key may do, repeatable: {', '.join(ApiKey.Scope.values)}",
        )
        parser.add_argument(
            "--rate",
            type=int,
            metavar="EVENTS",
            help="how many events a second it may send to each web process; without it there is no limit",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            _, text = issuing.issue_api_key(
                name=options["name"],
                scopes=options["scopes"],
                at=datetime.now(tz=UTC),
                events_per_second_max=options["rate"],
            )
        except issuing.CredentialInvalid as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text)
