"""Groups: which child is billed, and the group's own discount, maximum and minimum."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from billing.documents.nodes import GREATEST, LEAST, Component, Group, Node
from billing.rating import bounds, statement
from billing.rating.frame import Frame, Span
from billing.rating.inputs import MeterFacts, UsageRow
from billing.rating.statement import Line
from billing.rating.tracks import Track, parents, tracks_of
from metering import numbers


def lines_of(rows: Sequence[UsageRow], frame: Frame, meters: Mapping[str, MeterFacts]) -> list[Line]:
    """All lines of components and groups, in the order of the last version.

    Components that only earlier versions have stay in their group if the last version has it, else stand at
    the end.
    """
    tracks = tracks_of(frame.spans)
    orphans = _orphans(tracks, frame)
    lines: list[Line] = []
    for node in (*frame.last.components, *orphans.get(None, ())):
        lines += _of_node(node, None, tracks, orphans, rows, frame, meters)
    return lines


def _orphans(tracks: Mapping[str, list[Track]], frame: Frame) -> dict[str | None, list[Component]]:
    """The components that the last version does not have, by the code of the group that they stay in."""
    kept = {node.code for node in frame.last.nodes()}
    groups = {node.code for node in frame.last.nodes() if isinstance(node, Group)}
    found: dict[str | None, list[Component]] = {}
    for code, each in tracks.items():
        if code not in kept:
            span, component = each[-1].members[-1]
            parent = parents(span.plan).get(code)
            found.setdefault(parent if parent in groups else None, []).append(component)
    return found


def _of_node(
    node: Node,
    parent: str | None,
    tracks: Mapping[str, list[Track]],
    orphans: Mapping[str | None, Sequence[Component]],
    rows: Sequence[UsageRow],
    frame: Frame,
    meters: Mapping[str, MeterFacts],
) -> list[Line]:
    if isinstance(node, Component):
        return bounds.lines_of(tracks[node.code], rows, frame, meters, parent)
    children = [
        _of_node(child, node.code, tracks, orphans, rows, frame, meters)
        for child in (*node.children, *orphans.get(node.code, ()))
    ]
    return _bounded(node, _chosen(node.combine, children), frame)


def _chosen(combine: str, children: list[list[Line]]) -> list[Line]:
    """The lines of all children; those of the losers of a choice at 0, with what they would have been. The
    first of equals wins.
    """
    if combine in (GREATEST, LEAST):
        choose = max if combine == GREATEST else min
        winner = choose(range(len(children)), key=lambda place: bounds.total(children[place]))
        children = [
            lines if place == winner else [_lost(line) for line in lines]
            for place, lines in enumerate(children)
        ]
    return [line for lines in children for line in lines]


def _lost(line: Line) -> Line:
    would_be = line.amount if line.would_be is None else line.would_be
    return replace(line.cleared("not chosen"), would_be=would_be)


def _bounded(group: Group, lines: list[Line], frame: Frame) -> list[Line]:
    members = _members(group.code, frame)
    amount = bounds.total(lines)
    found = list(lines)
    if group.discount_percent:
        percent = Fraction(group.discount_percent) / 100
        discount = -numbers.round_half_up(Fraction(amount) * percent, frame.digits)
        if discount:
            name = f"{numbers.text(group.discount_percent)}% discount on {group.name}"
            found.append(bounds.kind_line(statement.GROUP_DISCOUNT, discount, name, group=group.code))
            amount += discount
    maximum = bounds.maximum_of(members, frame)
    if maximum is not None and amount > maximum and not frame.is_ahead:
        name = f"Maximum of {group.name}"
        found.append(bounds.kind_line(statement.GROUP_MAXIMUM, maximum - amount, name, group=group.code))
        amount = maximum
    minimum = bounds.minimum_of([(span, node.minimum) for span, node in members], frame)
    missing = bounds.missing_to(minimum, amount, frame)
    if missing:
        found.append(
            bounds.kind_line(statement.GROUP_MINIMUM, missing, f"Minimum of {group.name}", group=group.code)
        )
    return found


def _members(code: str, frame: Frame) -> list[tuple[Span, Component | Group]]:
    return [(span, node) for span in frame.spans for node in span.plan.nodes() if node.code == code]
