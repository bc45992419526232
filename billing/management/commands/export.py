"""Writes the invoices of a month as files, or checks files that were written."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.exports import folder as folders
from billing.exports import formats, invoices, month, verification
from billing.models import Export

FILES_LISTED_MAX = 40


class Command(BaseCommand):
    help = "Writes the invoices of a month as files with a manifest; with --verify checks them against it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", nargs="?", metavar="MONTH", help="such as 2020-05")
        parser.add_argument(
            "--format",
            action="append",
            default=[],
            dest="formats",
            metavar="FORMAT",
            help=f"{' or '.join(formats.ALL)}; may be given several times; all of them by default",
        )
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="the folder for the files; made if missing"
        )
        parser.add_argument(
            "--verify", type=Path, metavar="DIR", help="check an export instead of writing one"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["verify"] is not None:
            if options["month"] or options["out"] or options["formats"]:
                raise CommandError(
                    "--verify DIR stands alone: the month and its files are read from the folder"
                )
            self._verify(options["verify"])
        elif options["month"] is None or options["out"] is None:
            raise CommandError("give a month and a folder: export 2020-05 --out DIR")
        else:
            self._export(options["month"], options["formats"], options["out"])

    def _export(self, text: str, names: list[str], out: Path) -> None:
        try:
            first = month.parse(text)
            made = month.write(
                month=first, formats=names, folder=out, at=timezone.now(), by="manage.py export"
            )
        except (month.MonthInvalid, formats.FormatUnknown, folders.FolderUnusable) as error:
            raise CommandError(str(error)) from error
        self._print(made)
        drafts = invoices.draft_count(month=first)
        if drafts:
            self.stdout.write(f"not exported: {_invoices(drafts)} of {text} still in draft")

    def _print(self, made: Export) -> None:
        files = made.manifest["files"]
        if not made.manifest["invoices"] and not made.manifest["void"]:
            self.stdout.write(f"no invoices of {made}: the files hold no rows")
        for entry in files[:FILES_LISTED_MAX]:
            rows = f"{entry['rows']} row" + ("" if entry["rows"] == 1 else "s")
            self.stdout.write(f"{entry['file']}  {rows}  {entry['bytes']} bytes")
        if len(files) > FILES_LISTED_MAX:
            self.stdout.write(f"and {len(files) - FILES_LISTED_MAX} more files")
        void = f", {made.manifest['void']} void" if made.manifest["void"] else ""
        self.stdout.write(f"{made}: {_invoices(made.manifest['invoices'])}{void} in {made.folder}")
        for currency, total in made.manifest["totals"].items():
            self.stdout.write(f"total {currency} {total}")

    def _verify(self, folder: Path) -> None:
        try:
            found = verification.differences(folder=folder)
        except folders.ManifestMissing as error:
            raise CommandError(str(error)) from error
        for difference in found:
            self.stderr.write(difference)
        if found:
            raise CommandError(
                f"{folder} differs in {len(found)} " + ("place" if len(found) == 1 else "places")
            )
        self.stdout.write(f"{folder} agrees with its manifest and with the database")


def _invoices(count: int) -> str:
    return f"{count} invoice" + ("" if count == 1 else "s")
