"""`manage.py plans apply FILE` and `manage.py plans diff FILE`: plans as code."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import publishing
from metering.documents import DocumentError


class Command(BaseCommand):
    help = "Publishes the plans of a YAML or JSON file (one plan or a list), or says what that would change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="apply | diff")
        for name, text in (
            ("apply", "create plans, or publish a new version of each that has changed; all of them or none"),
            ("diff", "say in words what apply would change"),
        ):
            action = actions.add_parser(name, help=text)
            action.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *, action: str, file: Path, **_options: Any) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        try:
            self._apply(text, file.name) if action == "apply" else self._diff(text, file.name)
        except DocumentError as error:
            raise CommandError(f"{file}: {error}") from error

    def _apply(self, text: str, name: str) -> None:
        for applied in publishing.apply_text(text=text, name=name, at=timezone.now(), by="plans apply"):
            self.stdout.write(f"{applied.code}: {applied.outcome}, version {applied.version.number}")

    def _diff(self, text: str, name: str) -> None:
        for document, path in publishing.documents(text=text, name=name):
            changes = publishing.difference(document=document, at=timezone.now(), path=path)
            for change in changes or ["nothing would change"]:
                self.stdout.write(f"{document['code']}: {change}")
