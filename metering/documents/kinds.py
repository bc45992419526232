"""The single values that a document may hold.

Every kind answers three questions of one shape: `read(value, path)` the parsed value or a DocumentError,
`canonical(value, path)` the value as JSON with numbers by value, for comparing, and `schema()` its JSON
Schema.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from metering import numbers, periods
from metering.documents.errors import invalid, suggestion

TEXT_LENGTH_MAX = 500


class Kind(Protocol):
    """What a value of a document may be."""

    def read(self, value: Any, path: str) -> Any:
        """The parsed value. Raises DocumentError."""
        ...

    def canonical(self, value: Any, path: str) -> Any:
        """The valid value as JSON, with equal numbers written equally."""
        ...

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the value."""
        ...


@dataclass(frozen=True)
class Text:
    """A text, of a pattern where one is given (`hint` says it in words)."""

    pattern: str = r"[\s\S]+"
    hint: str = "text"
    length_max: int = TEXT_LENGTH_MAX

    def read(self, value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise invalid(f"must be {self.hint}", path)
        if len(value) > self.length_max:
            raise invalid(f"must have at most {self.length_max} characters", path)
        if re.fullmatch(self.pattern, value) is None:
            raise invalid(f"{value[:60]!r} must be {self.hint}", path)
        return value

    def canonical(self, value: Any, path: str) -> Any:
        return self.read(value, path)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.length_max}


SLUG = Text(pattern=r"[a-z0-9_]+", hint="made of a-z, 0-9 and _", length_max=100)
CODE = Text(
    pattern=r"[A-Za-z0-9][A-Za-z0-9_.:-]*", hint="made of letters, digits and _ . : -", length_max=100
)
DIMENSION = Text(pattern=r"[A-Za-z_][A-Za-z0-9_.-]*", hint="the name of a dimension", length_max=100)
PATH = Text(pattern=r"[^.\s]+(\.[^.\s]+)*", hint="a path such as usage.input_tokens", length_max=200)


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]

    def read(self, value: Any, path: str) -> str:
        if isinstance(value, str) and value in self.options:
            return value
        near = suggestion(value, list(self.options)) if isinstance(value, str) else ""
        raise invalid(f"must be one of {', '.join(self.options)}{near}", path)

    def canonical(self, value: Any, path: str) -> Any:
        return self.read(value, path)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.options)}


@dataclass(frozen=True)
class Number:
    """A decimal, written as text or as a whole JSON number, within bounds."""

    minimum: Decimal | None = None
    above: Decimal | None = None
    maximum: Decimal | None = None
    decimal_places: int = numbers.DECIMAL_PLACES

    def read(self, value: Any, path: str) -> Decimal:
        if isinstance(value, Decimal):
            raise invalid(f'a number with a fraction is written as text: "{value}"', path)
        try:
            number = numbers.parse_decimal(value, decimal_places=self.decimal_places)
        except numbers.NumberInvalid as error:
            raise invalid(str(error), path) from None
        if self.minimum is not None and number < self.minimum:
            raise invalid(f"must be at least {self.minimum}, not {value}", path)
        if self.above is not None and number <= self.above:
            raise invalid(f"must be more than {self.above}, not {value}", path)
        if self.maximum is not None and number > self.maximum:
            raise invalid(f"must be at most {self.maximum}, not {value}", path)
        return number

    def canonical(self, value: Any, path: str) -> Any:
        return numbers.text(self.read(value, path))

    def schema(self) -> dict[str, Any]:
        return {
            "anyOf": [
                {
                    "type": "string",
                    "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$",
                    "maxLength": numbers.TEXT_LENGTH_MAX,
                },
                {"type": "integer"},
            ]
        }


ZERO = Decimal(0)
NOT_NEGATIVE = Number(minimum=ZERO)
POSITIVE = Number(above=ZERO)
PERCENT = Number(minimum=ZERO, maximum=Decimal(100))


@dataclass(frozen=True)
class Count:
    """A whole number within bounds."""

    minimum: int
    maximum: int

    def read(self, value: Any, path: str) -> int:
        number = Number(minimum=Decimal(self.minimum), maximum=Decimal(self.maximum), decimal_places=0)
        return int(number.read(value, path))

    def canonical(self, value: Any, path: str) -> Any:
        return self.read(value, path)

    def schema(self) -> dict[str, Any]:
        return {
            "anyOf": [
                {"type": "integer", "minimum": self.minimum, "maximum": self.maximum},
                {"type": "string", "pattern": "^[0-9]+$"},
            ]
        }


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def read(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            raise invalid("must be true or false", path)
        return value

    def canonical(self, value: Any, path: str) -> Any:
        return self.read(value, path)

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Instant:
    """An RFC 3339 instant with its offset."""

    def read(self, value: Any, path: str) -> datetime:
        if not isinstance(value, str):
            raise invalid("must be an instant such as 2026-10-01T00:00:00Z", path)
        try:
            return periods.parse_instant(value)
        except periods.InstantInvalid as error:
            raise invalid(str(error), path) from None

    def canonical(self, value: Any, path: str) -> Any:
        return periods.format_instant(self.read(value, path))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Zone:
    """The name of an IANA time zone."""

    def read(self, value: Any, path: str) -> str:
        try:
            return periods.named_zone(Text().read(value, path)).key
        except periods.ZoneUnknown as error:
            raise invalid(str(error), path) from None

    def canonical(self, value: Any, path: str) -> Any:
        return self.read(value, path)

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True)
class Word:
    """A dimension's value as text; numbers and true, false, null as events' values are read."""

    def read(self, value: Any, path: str) -> str:
        return _word(value, path)

    def canonical(self, value: Any, path: str) -> Any:
        return self.read(value, path)

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "integer", "boolean", "null"]}


@dataclass(frozen=True)
class Words:
    """The texts that a value may have: one, or a list."""

    def read(self, value: Any, path: str) -> tuple[str, ...]:
        each = value if isinstance(value, list) else [value]
        if not each:
            raise invalid("must name at least one value", path)
        return tuple(sorted({_word(one, path) for one in each}))

    def canonical(self, value: Any, path: str) -> Any:
        return list(self.read(value, path))

    def schema(self) -> dict[str, Any]:
        word = Word().schema()
        return {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}


def _word(value: Any, path: str) -> str:
    if isinstance(value, Decimal):
        raise invalid(f'a number with a fraction is written as text: "{value}"', path)
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    if isinstance(value, str | int) and len(str(value)) <= 200:
        return str(value)
    raise invalid("must be a text of at most 200 characters, or a list of such", path)
