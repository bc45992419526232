"""What changed between two plan documents, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_ABSENT = "(none)"
_PLAN = ""  # stands for the code of the plan itself, which no component can have


def of(*, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """A line for each difference of two canonical plan documents, in the order of the new one.

    Components and groups are found again by their codes, wherever they stand: "component gpu:
    price.unit_amount 2.5 -> 3", "component gpu added", "plan: minimum (none) -> 100".
    """
    old_nodes, new_nodes = dict(_nodes(old, _PLAN)), dict(_nodes(new, _PLAN))
    lines = []
    for code, (parent, node) in new_nodes.items():
        if code not in old_nodes:
            lines.append(f"{_title(code, node)} added{_inside(parent)}")
            continue
        old_parent, old_node = old_nodes[code]
        if old_parent != parent:
            lines.append(f"{_title(code, node)} moved{_inside(old_parent, 'from')}{_inside(parent, 'into')}")
        lines += [f"{_title(code, node)}: {change}" for change in _changes(old_node, node)]
    lines += [
        f"{_title(code, node)} removed{_inside(parent, 'from')}"
        for code, (parent, node) in old_nodes.items()
        if code not in new_nodes
    ]
    return [*lines, *_reordered(old_nodes, new_nodes)]


def _nodes(
    node: Mapping[str, Any], code: str, parent: str = ""
) -> Iterator[tuple[str, tuple[str, Mapping[str, Any]]]]:
    """Code, parent's code, and node without its children, each before its children."""
    yield (code, (parent, {key: value for key, value in node.items() if key != "components"}))
    for child in node.get("components", ()):
        yield from _nodes(child, child["code"], code)


def _title(code: str, node: Mapping[str, Any]) -> str:
    if code == _PLAN:
        return "plan"
    return f"group {code}" if "combine" in node else f"component {code}"


def _inside(parent: str, word: str = "to") -> str:
    return f" {word} {'the plan' if parent == _PLAN else f'group {parent}'}"


def _changes(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _changes(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif (
        isinstance(old, list)
        and isinstance(new, list)
        and any(isinstance(each, Mapping) for each in old + new)
    ):
        for place in range(max(len(old), len(new))):
            yield from _changes(_at(old, place), _at(new, place), f"{path}[{place}]")
    elif old != new:
        yield f"{path} {_words(old)} -> {_words(new)}"


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _words(value: Any) -> str:
    if value is None:
        return _ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_words(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_words(each) for each in value) + "]"
    return str(value)


def _reordered(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for parent in new:
        before, after = (
            [code for code in nodes if code != parent and nodes[code][0] == parent] for nodes in (old, new)
        )
        kept = [code for code in after if code in before]
        if kept != [code for code in before if code in after]:
            yield f"new order in {_title(parent, new[parent][1])}: {', '.join(after)}"
