"""`manage.py quote FILE`: what a request would cost, as JSON. See the reference of quotes."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import quote_files


class Command(BaseCommand):
    help = (
        "Answers a quote request (JSON or YAML) on standard output; one that cannot be answered gives an "
        "error as JSON and exit status 2. The database is read only for what the request does not bring."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a file, or - for standard input")
        parser.add_argument(
            "--lines", action="store_true", help="one request a line in, one answer a line out; exit status 0"
        )

    def handle(self, *, file: str, lines: bool, **_options: Any) -> None:
        try:
            status = quote_files.answer(file=file, is_lines=lines, at=timezone.now(), write=self.stdout.write)
        except quote_files.RequestsUnreadable as error:
            raise CommandError(str(error)) from error
        if status:
            sys.exit(status)
