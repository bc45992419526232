"""The differences of two documents, node by node: what was added, removed, moved, changed, reordered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from billing.differences import values

ADDED, REMOVED, MOVED, CHANGED, REORDERED = "added", "removed", "moved", "changed", "reordered"
_PLAN = ""  # stands for the code of the plan itself, which no component can have

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference. ``text`` says it in one line: "component gpu: price of a unit 2.5 USD -> 3 USD (+20%)".

    ``node`` is the code of the component or group, None for the plan. ``field`` is the path of what changed
    below it, with its values as they stand in the documents, None for none; ``currency`` is that of amounts.
    """

    kind: str
    node: str | None
    text: str
    field: str | None = None
    old: Any = None
    new: Any = None
    currency: str | None = None

    def __str__(self) -> str:
        return self.text


def of(*, old: Node, new: Node) -> list[Change]:
    """The differences of two canonical plan documents, in the order of the new one, what is gone at the end.

    Components and groups are found again by their codes, wherever they stand; tiers by their bounds, rates by
    what they are for.
    """
    currency = str(new["currency"])
    old_nodes, new_nodes = dict(_nodes(old, _PLAN)), dict(_nodes(new, _PLAN))
    changes: list[Change] = []
    for code, (parent, node) in new_nodes.items():
        if code not in old_nodes:
            text = f"{_title(code, node)} added{_where('to', parent)}{_costs(node, currency, ': ')}"
            changes.append(Change(ADDED, code, text))
            continue
        old_parent, old_node = old_nodes[code]
        if old_parent != parent:
            text = f"{_title(code, node)} moved{_where('from', old_parent)}{_where('into', parent)}"
            changes.append(Change(MOVED, code, text))
        changes += _changed(code, old_node, node, currency)
    for code, (parent, node) in old_nodes.items():
        if code not in new_nodes:
            text = f"{_title(code, node)} removed{_where('from', parent)}{_costs(node, currency, ', was ')}"
            changes.append(Change(REMOVED, code, text))
    return [*changes, *_reordered(old_nodes, new_nodes)]


def _nodes(node: Node, code: str, parent: str = "") -> Iterator[tuple[str, tuple[str, Node]]]:
    """Code, parent's code, and node without its children, each before its children."""
    yield code, (parent, {key: value for key, value in node.items() if key != "components"})
    for child in node.get("components", ()):
        yield from _nodes(child, child["code"], code)


def _title(code: str, node: Node) -> str:
    if code == _PLAN:
        return "plan"
    return f"group {code}" if "combine" in node else f"component {code}"


def _where(word: str, parent: str) -> str:
    return f" {word} {'the plan' if parent == _PLAN else f'group {parent}'}"


def _costs(node: Node, currency: str, word: str) -> str:
    return f"{word}{values.price(node['price'], currency)}" if "price" in node else ""


def _changed(code: str, old: Node, new: Node, currency: str) -> Iterator[Change]:
    for leaf in values.leaves(old, new):
        yield Change(
            CHANGED,
            code or None,
            f"{_title(code, new)}: {values.sentence(leaf, currency)}",
            leaf.path,
            leaf.old,
            leaf.new,
            currency if leaf.unit == values.MONEY else None,
        )


def _reordered(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for parent in new:
        before, after = (
            [code for code in nodes if code != parent and nodes[code][0] == parent] for nodes in (old, new)
        )
        kept = [code for code in after if code in before]
        was = [code for code in before if code in after]
        if kept != was:
            text = f"new order in {_title(parent, new[parent][1])}: {', '.join(after)}"
            yield Change(REORDERED, parent or None, text, "components", before, after)
