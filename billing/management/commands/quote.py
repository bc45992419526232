"""`manage.py quote FILE`: what a request would cost, as JSON. See the reference of quotes."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.utils import timezone

from billing import quotes
from metering.documents import DocumentError, load_text

EXIT_REFUSED = 2


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
        now = timezone.now()
        try:
            with _opened(file) as requests:
                if lines:
                    for number, line in enumerate(requests, start=1):
                        self.stdout.write(_json(_answer(line, f"line {number}", now)))
                    return
                text = requests.read()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        answer = _answer(text, "the request" if file == "-" else Path(file).name, now)
        self.stdout.write(_json(answer, indent=2))
        if "error" in answer:
            sys.exit(EXIT_REFUSED)


def _opened(file: str) -> AbstractContextManager[IO[str]]:
    return nullcontext(sys.stdin) if file == "-" else open(file, encoding="utf-8")


def _answer(text: str, name: str, now: datetime) -> dict[str, Any]:
    try:
        return quotes.answer(request=load_text(text, name), at=now)
    except DocumentError as error:
        return error.answer()
    except OperationalError as error:
        raise CommandError(
            f"{name} names a plan or meter that it does not bring, and the database does not answer: {error}"
        ) from error


def _json(answer: dict[str, Any], indent: int | None = None) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=indent)
