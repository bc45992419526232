"""SQL of dimensions: by which usage is told apart, and of which only some values are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from metering.documents.meter import RESERVED_DIMENSION, MeterDefinition
from metering.usage.contributions.fragments import Fragment, joined, sql


class DimensionUnknown(ValueError):
    """Usage is asked for by a dimension that the meter does not declare."""


def check(definition: MeterDefinition, names: Collection[str]) -> None:
    """Raises DimensionUnknown for a name that is neither a dimension of the meter nor ``subject``."""
    known = definition.dimension_names
    for name in names:
        if name != RESERVED_DIMENSION and name not in known:
            every = ", ".join([*known, RESERVED_DIMENSION])
            raise DimensionUnknown(f"the meter {definition.slug} has no dimension {name}; it has {every}")


class By:
    """The dimensions that usage is split by, read as an array of text. Raises DimensionUnknown."""

    def __init__(self, definition: MeterDefinition, names: Sequence[str]) -> None:
        check(definition, names)
        self._names = names
        self._places = _places(definition)

    def of_contribution(self) -> Fragment:
        """From the row ``c`` of a contribution, whose dimensions are an array in the order of their names."""
        return self._array(lambda name: Fragment(f"c.dimensions[{self._places[name]}]"), "c")

    def of_series(self, row: str) -> Fragment:
        """From a row with the dimensions of a series, which are an object."""
        return self._array(lambda name: sql("{row}.dimensions ->> {name}", row=Fragment(row), name=name), row)

    def _array(self, read: Callable[[str], Fragment], row: str) -> Fragment:
        subject = Fragment(f"{row}.subject")
        each = (subject if name == RESERVED_DIMENSION else read(name) for name in self._names)
        return sql("array[{each}]::text[]", each=joined(", ", each))


class Only:
    """The values that dimensions must have, by name. Raises DimensionUnknown.

    Values of ``subject`` are not looked at: whose usage counts is said by the spans.
    """

    def __init__(self, definition: MeterDefinition, values: Mapping[str, Collection[str]]) -> None:
        check(definition, values)
        self._values = {name: sorted(each) for name, each in values.items() if name != RESERVED_DIMENSION}
        self._places = _places(definition)

    def of_series(self) -> Fragment:
        """A condition, with "and" before it, on the column with the dimensions of a series."""
        return joined(
            "",
            (
                sql(" and dimensions ->> {name} = any({values}::text[])", name=name, values=values)
                for name, values in self._values.items()
            ),
        )

    def of_contributions(self, contributed: Fragment) -> Fragment:
        """The contributions whose dimensions have one of the values."""
        if not self._values:
            return contributed
        conditions = (
            sql(f"c.dimensions[{self._places[name]}] = any({{values}}::text[])", values=values)
            for name, values in self._values.items()
        )
        return sql(
            "select * from ({contributed}) c where {conditions}",
            contributed=contributed,
            conditions=joined(" and ", conditions),
        )


def _places(definition: MeterDefinition) -> dict[str, int]:
    return {name: place for place, name in enumerate(definition.dimension_names, start=1)}
