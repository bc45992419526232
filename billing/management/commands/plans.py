"""`manage.py plans apply | diff | export`: plans as code."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing import acting, publishing
from billing.documents import texts
from billing.models import PlanVersion
from metering.documents import DocumentError

YAML, JSON = "yaml", "json"
_COMMAND = "plans apply"


class Command(BaseCommand):
    help = (
        "Publishes the plans of a YAML or JSON file (one plan or a list), says what that would change, or "
        "writes the document of a plan."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="apply | diff | export")
        for name, text in (
            ("apply", "create plans, or publish a new version of each that has changed; all of them or none"),
            ("diff", "say in words and amounts what apply would change"),
        ):
            action = actions.add_parser(name, help=text)
            action.add_argument("file", metavar="FILE", type=Path)
        export = actions.add_parser(
            "export", help="write a plan's document to standard output; applied again it changes nothing"
        )
        export.add_argument("code", metavar="CODE")
        export.add_argument("--version", dest="number", type=int, metavar="N", help="default: the last one")
        export.add_argument("--format", choices=[YAML, JSON], default=YAML)

    def handle(self, *, action: str, **options: Any) -> None:
        if action == "export":
            self._export(options["code"], options["number"], options["format"])
            return
        file = options["file"]
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        try:
            self._apply(text, file.name) if action == "apply" else self._diff(text, file.name)
        except DocumentError as error:
            raise CommandError(f"{file}: {error}") from error

    def _apply(self, text: str, name: str) -> None:
        with acting.acting(by=_COMMAND, through="command"):
            applications = publishing.apply_text(text=text, name=name, at=timezone.now(), by=_COMMAND)
        for applied in applications:
            self.stdout.write(f"{applied.code}: {applied.outcome}, version {applied.version.number}")

    def _diff(self, text: str, name: str) -> None:
        for document, path in publishing.documents(text=text, name=name):
            difference = publishing.difference(document=document, at=timezone.now(), path=path)
            for change in difference.changes or ["nothing would change"]:
                self.stdout.write(f"{difference.plan.code}: {change}")

    def _export(self, code: str, number: int | None, format: str) -> None:
        versions = PlanVersion.objects.filter(plan__code=code).order_by("-number")
        if not versions:
            raise CommandError(f"There is no plan {code}.")
        version = versions.filter(**{} if number is None else {"number": number}).first()
        if version is None:
            raise CommandError(
                f"The plan {code} has no version {number}; its last one is {versions[0].number}."
            )
        if format == JSON:
            self.stdout.write(json.dumps(texts.ordered(version.document), indent=2, ensure_ascii=False))
        else:
            self.stdout.write(texts.of(version.document), ending="")
