"""``meters apply FILE``: meters as code."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metering import defining, rolling
from metering.documents import DocumentError, load_text
from metering.models import epoch

BATCHES_AT_ONCE = 200


class Command(BaseCommand):
    """Creates the meters of a file, and counts for them what was stored before."""

    help = "Creates the meters of a YAML or JSON file (one, or a list). A second run changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        apply = actions.add_parser("apply", help="create the meters that do not exist yet; all or none")
        apply.add_argument("file", help="the file's path, or - for standard input")

    def handle(self, *, file: str, **_: Any) -> None:
        at = datetime.now(UTC)
        try:
            applied = defining.apply(document=load_text(_text(file), file), at=at)
        except DocumentError as error:
            raise CommandError(f"{file}: {error}", returncode=2) from None
        except (defining.MeterChanged, epoch.RollUpsBusy) as error:
            raise CommandError(f"{file}: {error}") from None
        for each in applied:
            self.stdout.write(f"{each.slug}: {each.outcome}")
        if any(each.outcome == defining.CREATED for each in applied):
            self._build(at)

    def _build(self, at: datetime) -> None:
        built = 0
        while count := rolling.build(limit=BATCHES_AT_ONCE, at=at):
            built += count
        if built:
            self.stdout.write(f"counted the events of {built} batches that were stored before")


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}", returncode=2) from None
