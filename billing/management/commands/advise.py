"""`manage.py advise FILE`: what a workload costs under every plan, as JSON. See the reference of advice."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import answer_files, quote_files
from billing.advising import advice


class Command(BaseCommand):
    help = (
        "Answers a request for advice (JSON or YAML) on standard output; one that cannot be answered gives "
        "an error as JSON and exit status 2. The database is read only for what the request does not bring."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a file, or - for standard input")

    def handle(self, *, file: str, **_options: Any) -> None:
        now = timezone.now()
        try:
            status = answer_files.answer(
                file=file, to=lambda request: advice.advise(request, at=now), write=self.stdout.write
            )
        except quote_files.RequestsUnreadable as error:
            raise CommandError(str(error)) from error
        if status:
            sys.exit(status)
