"""Strict reading of YAML and JSON texts: nothing is guessed, nothing is lost."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

import yaml

from metering.documents.errors import invalid, joined

DEPTH_MAX = 64
NUMBER_LENGTH_MAX = 100
# NUL, and halves of characters beyond the basic plane
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class _Pairs(list[tuple[str, Any]]):
    """A mapping as it was written, duplicate keys included."""


def load_text(text: str, name: str) -> Any:
    """The document of a YAML or JSON text: dicts, lists, texts, True, False, None; from JSON also int and
    Decimal.

    A `name` ending in .json is JSON, one in .yaml or .yml YAML; of any other name a text that begins with "{"
    or "[" is JSON. In YAML every plain scalar but null, true and false is text, so that 0.15 stays the
    decimal 0.15 and 10:30 is no number. A JSON number with a fraction becomes the Decimal that its text says
    (fields of documents refuse it, `data` of events take it). Raises DocumentError for what cannot be read,
    duplicate keys, keys that are no text, and NUL in a text.
    """
    is_json = name.endswith(".json") or (not name.endswith((".yaml", ".yml")) and text.lstrip()[:1] in "{[")
    try:
        return _plain(_read_json(text, name) if is_json and text.strip() else _read_yaml(text, name), "", 0)
    except RecursionError:
        raise invalid("the document is nested too deeply", "") from None


def _plain(value: Any, path: str, depth: int) -> Any:
    """The value with mappings as dicts, checked all the way down."""
    if depth > DEPTH_MAX:
        raise invalid(f"the document is nested deeper than {DEPTH_MAX} levels", path)
    if isinstance(value, _Pairs):
        return _mapping(value, path, depth)
    if isinstance(value, list):
        return [_plain(each, f"{path}[{place}]", depth + 1) for place, each in enumerate(value)]
    if isinstance(value, str):
        _check_text(value, path)
    return value


def _mapping(pairs: _Pairs, path: str, depth: int) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        place = joined(path, key)
        _check_text(key, path)
        if key in mapping:
            raise invalid(f"the key {key} stands here twice", place)
        mapping[key] = _plain(value, place, depth + 1)
    return mapping


def _check_text(text: str, path: str) -> None:
    if _NOT_STORABLE.search(text):
        raise invalid("a text holds a character that cannot be stored", path)


def _read_json(text: str, name: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_Pairs,
            parse_float=_decimal,
            parse_int=lambda digits: int(_bounded(digits)),
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise invalid(
            f"{name or 'the text'} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}", ""
        ) from None


def _decimal(digits: str) -> Decimal:
    exponent = re.search(r"[eE][+-]?0*([0-9]*)$", _bounded(digits))
    if exponent and len(exponent.group(1)) > 3:
        raise invalid(f"the exponent of {digits} is too large", "")
    return Decimal(digits)


def _bounded(digits: str) -> str:
    if len(digits) > NUMBER_LENGTH_MAX:
        raise invalid(f"a number has more than {NUMBER_LENGTH_MAX} digits", "")
    return digits


def _refuse_constant(word: str) -> NoReturn:
    raise invalid(f"{word} is no number", "")


class _PlainText(yaml.SafeLoader):
    """YAML in which a plain scalar is text, unless it is null, true or false."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}
    yaml_constructors = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "an alias (*name) is not accepted", mark)
        return super().compose_node(parent, index)


def _construct_pairs(loader: _PlainText, node: yaml.MappingNode) -> _Pairs:
    pairs = _Pairs()
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "a key must be text", key_node.start_mark)
        pairs.append((key, loader.construct_object(value_node, deep=True)))
    return pairs


def _refuse_tag(_loader: _PlainText, node: yaml.Node) -> NoReturn:
    raise yaml.constructor.ConstructorError(
        None, None, f"the tag {node.tag} is not accepted", node.start_mark
    )


_PlainText.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)
_PlainText.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_PlainText.add_constructor("tag:yaml.org,2002:null", lambda _loader, _node: None)
_PlainText.add_constructor("tag:yaml.org,2002:bool", lambda _loader, node: node.value.lower() == "true")
_PlainText.add_constructor("tag:yaml.org,2002:str", lambda _loader, node: node.value)
_PlainText.add_constructor(
    "tag:yaml.org,2002:seq",
    lambda loader, node: [loader.construct_object(each, deep=True) for each in node.value],
)
_PlainText.add_constructor("tag:yaml.org,2002:map", _construct_pairs)
_PlainText.add_constructor(None, _refuse_tag)


def _read_yaml(text: str, name: str) -> Any:
    try:
        return yaml.load(text, Loader=_PlainText)  # noqa: S506 (a safe loader with fewer types)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise invalid(f"{name or 'the text'} is no YAML: {error.problem}{place}", "") from None
    except yaml.YAMLError as error:
        raise invalid(f"{name or 'the text'} is no YAML: {error}", "") from None
