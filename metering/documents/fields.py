"""How the values of a document are put together: lists, mappings, and shapes with known keys.

They are kinds like the single values: `read`, `canonical` and `schema`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from metering.documents.errors import DocumentError, invalid, joined, suggestion
from metering.documents.kinds import Kind

LIST_LENGTH_MAX = 10_000
REQUIRED: Any = object()


@dataclass(frozen=True)
class ListOf:
    """A list of one kind, between two lengths."""

    kind: Kind
    minimum: int = 0
    maximum: int = LIST_LENGTH_MAX

    def read(self, value: Any, path: str) -> tuple[Any, ...]:
        return tuple(
            self.kind.read(each, f"{path}[{place}]") for place, each in enumerate(self._each(value, path))
        )

    def canonical(self, value: Any, path: str) -> Any:
        return [
            self.kind.canonical(each, f"{path}[{place}]")
            for place, each in enumerate(self._each(value, path))
        ]

    def _each(self, value: Any, path: str) -> Sequence[Any]:
        if not isinstance(value, list):
            raise invalid("must be a list", path)
        if not self.minimum <= len(value) <= self.maximum:
            raise invalid(f"must have {self.minimum} to {self.maximum} entries, not {len(value)}", path)
        return value

    def schema(self) -> dict[str, Any]:
        return {
            "type": "array",
            "items": self.kind.schema(),
            "minItems": self.minimum,
            "maxItems": self.maximum,
        }


@dataclass(frozen=True)
class MapOf:
    """A mapping whose keys are of one kind of text and whose values of one kind; read in the order
    written.
    """

    keys: Kind
    kind: Kind

    def read(self, value: Any, path: str) -> dict[str, Any]:
        return {
            self.keys.read(key, joined(path, key)): self.kind.read(each, joined(path, key))
            for key, each in as_mapping(value, path).items()
        }

    def canonical(self, value: Any, path: str) -> Any:
        return {
            key: self.kind.canonical(each, joined(path, key)) for key, each in as_mapping(value, path).items()
        }

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.kind.schema()}


def as_mapping(value: Any, path: str) -> Mapping[str, Any]:
    """The value, if it is a mapping. Raises DocumentError."""
    if not isinstance(value, dict):
        raise invalid("must be a mapping of keys to values", path)
    return value


@dataclass(frozen=True)
class Field:
    """A key of a shape: its kind, and the value it has where it is absent or null (REQUIRED: it may not
    be).
    """

    kind: Kind
    default: Any = REQUIRED


@dataclass(frozen=True)
class Shape:
    """A mapping with known keys. `build` makes the value of the parsed fields; it gets them, the keys
    given, the path.
    """

    name: str
    fields: Mapping[str, Field]
    build: Callable[[dict[str, Any], frozenset[str], str], Any] = field(
        default=lambda values, _given, _path: values
    )

    def read(self, value: Any, path: str) -> Any:
        document = self._known(value, path)
        values = {key: self._field(key, each, document, path) for key, each in self.fields.items()}
        given = frozenset(key for key, each in document.items() if each is not None)
        return self.build(values, given, path)

    def _known(self, value: Any, path: str) -> Mapping[str, Any]:
        document = as_mapping(value, path)
        for key in document:
            if key not in self.fields:
                near = suggestion(key, list(self.fields))
                raise DocumentError(
                    "unknown_key", f"unknown key{near or f' of {self.name}'}", joined(path, key)
                )
        return document

    def _field(self, key: str, each: Field, document: Mapping[str, Any], path: str) -> Any:
        value = document.get(key)
        if value is not None:
            return each.kind.read(value, joined(path, key))
        if each.default is REQUIRED:
            raise invalid(f"{self.name} needs it", joined(path, key))
        return each.default

    def canonical(self, value: Any, path: str) -> Any:
        document = self._known(value, path)
        return {
            key: self.fields[key].kind.canonical(each, joined(path, key))
            for key, each in document.items()
            if each is not None
        }

    def schema(self) -> dict[str, Any]:
        required = [key for key, each in self.fields.items() if each.default is REQUIRED]
        properties = {
            key: each.kind.schema()
            if each.default is REQUIRED
            else {"anyOf": [each.kind.schema(), {"type": "null"}]}
            for key, each in self.fields.items()
        }
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Either:
    """One of several kinds; `choose` picks it by looking at the value, or raises DocumentError."""

    kinds: Sequence[Kind]
    choose: Callable[[Any, str], Kind]

    def read(self, value: Any, path: str) -> Any:
        return self.choose(value, path).read(value, path)

    def canonical(self, value: Any, path: str) -> Any:
        return self.choose(value, path).canonical(value, path)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [kind.schema() for kind in self.kinds]}
