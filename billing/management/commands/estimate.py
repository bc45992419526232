"""`manage.py estimate FILE`: what a model needs, as JSON. See the reference of estimates."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing import answer_files, estimating, quote_files


class Command(BaseCommand):
    help = (
        "Answers a request for an estimate (JSON or YAML) on standard output; one that cannot be answered "
        "gives an error as JSON and exit status 2. Nothing is read but the request."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a file, or - for standard input")

    def handle(self, *, file: str, **_options: Any) -> None:
        try:
            status = answer_files.answer(file=file, to=estimating.estimate, write=self.stdout.write)
        except quote_files.RequestsUnreadable as error:
            raise CommandError(str(error)) from error
        if status:
            sys.exit(status)
