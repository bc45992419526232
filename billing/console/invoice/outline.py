"""The lines of a service period under the groups of their plan, in the order of the statement."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from billing.models import InvoiceLine

COMBINES = {
    "SUM": "",
    "GREATEST": "the dearest of these is billed",
    "LEAST": "the cheapest of these is billed",
}


@dataclasses.dataclass
class Group:
    """A heading above the lines of a plan's group. Depth 0 is the outermost.

    ``would_be``: what a group that was not chosen would have cost; None for one that is billed.
    """

    code: str
    name: str
    combine: str
    depth: int
    amount: Decimal = Decimal(0)
    would_be: Decimal | None = None

    @property
    def rule(self) -> str:
        return COMBINES.get(self.combine, "")


@dataclasses.dataclass(frozen=True)
class Row:
    """Either a group's heading or a line, indented by ``depth``."""

    depth: int
    group: Group | None = None
    line: InvoiceLine | None = None


def rows(lines: Iterable[InvoiceLine], *, plans: Sequence[dict[str, Any]]) -> list[Row]:
    """Headings and lines. A group that none of the plan documents names keeps its code as its name."""
    parents: dict[str, tuple[dict[str, Any], ...]] = {}
    for plan in plans:
        _walk(plan.get("components", []), (), parents)
    shown: list[Row] = []
    open_groups: list[Group] = []
    for line in lines:
        chain = _chain(line, parents)
        kept = _common(open_groups, chain)
        del open_groups[kept:]
        for depth, document in enumerate(chain[kept:], start=kept):
            group = Group(
                document["code"], document.get("name", document["code"]), document["combine"], depth
            )
            open_groups.append(group)
            shown.append(Row(depth=depth, group=group))
        for group in open_groups:
            _add(group, line)
        shown.append(Row(depth=len(chain), line=line))
    return shown


def _walk(
    components: Iterable[dict[str, Any]],
    above: tuple[dict[str, Any], ...],
    parents: dict[str, tuple[dict[str, Any], ...]],
) -> None:
    """Notes of each group's code the documents of the groups from the outermost to itself."""
    for component in components:
        if "combine" in component:
            chain = (*above, component)
            parents.setdefault(component["code"], chain)
            _walk(component.get("components", []), chain, parents)


def _chain(line: InvoiceLine, parents: dict[str, tuple[dict[str, Any], ...]]) -> tuple[dict[str, Any], ...]:
    if not line.group:
        return ()
    return parents.get(line.group, ({"code": line.group, "combine": "SUM"},))


def _common(open_groups: Sequence[Group], chain: Sequence[dict[str, Any]]) -> int:
    count = 0
    for group, document in zip(open_groups, chain, strict=False):
        if group.code != document["code"]:
            break
        count += 1
    return count


def _add(group: Group, line: InvoiceLine) -> None:
    group.amount += line.amount
    if line.would_be is not None:
        group.would_be = (group.would_be or Decimal(0)) + line.would_be
