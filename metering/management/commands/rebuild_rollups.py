"""``rebuild_rollups``: compares the stored usage with the raw events and mends it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metering import rolling
from metering.models import MeterVersion, epoch
from metering.periods import format_instant
from metering.rolling import Comparison, Difference


class Command(BaseCommand):
    """Reports where buckets are not what their events add up to, and writes those meters anew."""

    help = (
        "Compares the stored usage of meters (of all, if none is named) with their raw events, lists what "
        "differs and writes it anew. With --check it only reports, and exits with 1 where something differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("meter", nargs="*", help="slugs of meters")
        parser.add_argument("--check", action="store_true", help="report only")

    def handle(self, *, meter: list[str], check: bool, **_: Any) -> None:
        differing = 0
        for version in _versions(meter):
            found = rolling.differences(version=version) if check else _rebuilt(version)
            self._report(version, found, check=check)
            differing += not found.is_equal
        if check and differing:
            raise CommandError(
                f"{differing} meters differ from their events; run rebuild_rollups without --check"
            )

    def _report(self, version: MeterVersion, found: Comparison, *, check: bool) -> None:
        if found.is_equal:
            self.stdout.write(f"{version}: equal to its events")
            return
        verb = "differ" if check else "differed and were written anew"
        counts = f"{found.buckets} buckets, {found.intervals} intervals and {found.values} values"
        self.stdout.write(f"{version}: {counts} {verb}")
        for each in found.shown:
            self.stdout.write(f"  {_line(each)}")
        if found.buckets > len(found.shown):
            self.stdout.write(f"  and {found.buckets - len(found.shown)} more")


def _rebuilt(version: MeterVersion) -> Comparison:
    try:
        return rolling.rebuild(version=version)
    except epoch.RollUpsBusy as error:
        raise CommandError(f"{version}: {error}") from None


def _line(each: Difference) -> str:
    names = "".join(f" {name}={value}" for name, value in sorted(each.dimensions.items()))
    stored, counted = (
        "nothing" if side is None else f"{side[0]:f} of {side[1]} events"
        for side in (each.stored, each.counted)
    )
    return f"{format_instant(each.start)} {each.subject}{names}: stored {stored}, counted {counted}"


def _versions(slugs: list[str]) -> list[MeterVersion]:
    stored = MeterVersion.objects.select_related("meter").order_by("meter__slug", "number")
    if not slugs:
        return list(stored)
    known = list(stored.filter(meter__slug__in=slugs))
    for slug in slugs:
        if slug not in {version.meter.slug for version in known}:
            raise CommandError(f"there is no meter {slug}", returncode=2)
    return known
