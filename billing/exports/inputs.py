"""What the rating input of a service period knows and its lines do not say: names, meters, usage by day."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from billing import evidence
from billing.documents import matching
from billing.documents import plan as plans
from billing.documents.nodes import Component, Group, PlanDocument
from billing.models import InvoiceLine, ServicePeriod
from metering import periods
from metering.documents.meter import ADDITIVE
from metering.periods import Period

# Periods whose input is kept unpacked: those of the voucher that all formats are just writing.
KEPT = 32

Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Segment:
    """A version of a plan, and when it was in force."""

    plan: PlanDocument
    version: int
    period: Period


@dataclass(frozen=True)
class Input:
    """The rating input of a service period; all is empty where there is none.

    ``usage``: the quantity of each line that prices usage, by day; see `quantities`.
    """

    segments: tuple[Segment, ...] = ()
    usage: Mapping[Key, Mapping[Period, Fraction]] | None = None

    def component(self, code: str | None) -> Component | None:
        """The component as the last version that has it says."""
        found = (each.plan.component(code) for each in reversed(self.segments)) if code else ()
        return next((each for each in found if each is not None), None)

    def group(self, code: str | None) -> Group | None:
        """The group as the last version that has it says."""
        nodes = (node for each in reversed(self.segments) for node in each.plan.nodes())
        return next((node for node in nodes if isinstance(node, Group) and node.code == code), None)

    def quantities(self, line: InvoiceLine) -> Mapping[Period, Fraction]:
        """The line's usage by day in UTC, cut to the billed period, in time order.

        Empty for a line without usage, and where it is only known as a whole, as that of meters that do not
        add up.
        """
        key = (line.component or "", tuple(sorted(line.dimensions.items())))
        return (self.usage or {}).get(key, {})

    @property
    def plan_name(self) -> str:
        return self.segments[-1].plan.name if self.segments else ""

    @property
    def version(self) -> str:
        """The plan and the number of its last version: "gpu-cloud-pro v3"."""
        last = self.segments[-1] if self.segments else None
        return f"{last.plan.code} v{last.version}" if last else ""


NONE = Input()


def of(period: ServicePeriod) -> Input:
    """The rating input of a period. Raises evidence.EvidenceTampered where it is not what was stored."""
    content = bytes(period.rating_input)
    return _read(content, period.rating_sha256) if content else NONE


@functools.lru_cache(maxsize=KEPT)
def _read(content: bytes, sha256: str) -> Input:
    written = evidence.unpack(evidence.Packed(content, sha256))
    segments = tuple(
        Segment(
            plans.apply_overrides(plans.parse(each["document"]), each["overrides"]),
            each["version"],
            evidence.read_period(each),
        )
        for each in written["segments"]
    )
    return Input(segments, _usage(written, segments))


def _usage(
    written: Mapping[str, Any], segments: tuple[Segment, ...]
) -> Mapping[Key, Mapping[Period, Fraction]]:
    billed = evidence.read_period(written["billed_period"])
    additive = {each["slug"] for each in written["meters"] if each["document"]["aggregation"] in ADDITIVE}
    found: dict[Key, dict[Period, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    by_meter = [
        (segment.period, component)
        for segment in segments
        for component in segment.plan.all_components()
        if component.meter in additive
    ]
    for row in written["usage"]:
        for at, quantity in _pieces(row):
            for period, component in by_meter:
                if period.contains(at) and _takes(component, row):
                    per = tuple((name, row["dimensions"].get(name, "")) for name in sorted(component.per))
                    found[component.code, per][_day(at, billed)] += quantity
    return {key: dict(sorted(days.items(), key=lambda day: day[0].start)) for key, days in found.items()}


def _takes(component: Component, row: Mapping[str, Any]) -> bool:
    if row.get("component"):
        return bool(component.code == row["component"])
    return component.meter == row["meter"] and matching.matches(component.where, row["dimensions"])


def _pieces(row: Mapping[str, Any]) -> Iterator[tuple[datetime, Fraction]]:
    """The row's quantity at its instant; by the day where it is spread evenly over a stretch of time."""
    at, quantity = periods.parse_instant(row["at"]), Fraction(row["quantity"])
    if "until" not in row:
        yield at, quantity
        return
    whole = Period(at, periods.parse_instant(row["until"]))
    while at < whole.end:
        day = _day(at, whole)
        yield at, quantity * day.share_of(whole)
        at = day.end


def _day(at: datetime, billed: Period) -> Period:
    start = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(max(start, billed.start), min(start + timedelta(days=1), billed.end))
