"""Where in a text the place stands that an error of a document names."""

from __future__ import annotations

import re

import yaml

_PART = re.compile(r"\[([0-9]+)\]|\.?([^.\[\]]+)")
LENGTH_MAX = 100_000  # finding the line is a courtesy; reading a longer text twice would cost seconds


def line(text: str, field: str) -> int | None:
    """The line, from 1, of a path such as plan.components[2].price.tiers[0].upto in a YAML or JSON text.

    The first part is the name of the document and no key of it. Where the path leads to something that is
    missing, the line of what should hold it; None where the text cannot be read.
    """
    if len(text) > LENGTH_MAX:
        return None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    if isinstance(node, yaml.SequenceNode) and node.value:
        node = node.value[0]
    if node is None:
        return None
    found = node.start_mark.line + 1
    for index, name in _PART.findall(field)[1:]:
        step = _entry(node, int(index)) if index else _member(node, name)
        if step is None:
            return found
        found, node = step
    return found


def _entry(node: yaml.Node, index: int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and index < len(node.value):
        return node.value[index].start_mark.line + 1, node.value[index]
    return None


def _member(node: yaml.Node, name: str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        # The last one of duplicates is the one too many.
        for key, value in reversed(node.value):
            if key.value == name:
                return key.start_mark.line + 1, value
    return None
