"""A quick test that an event is plainly usable for a meter, so that the full measure is rarely asked.

It is sure when it says yes; when it says no, `metering.measures` decides, at some ten times the cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from metering.documents.meter import AVERAGE, COUNT, LATEST, MAX, MIN, SUM, Formula, MeterDefinition

Test = Callable[[Mapping[str, Any]], bool]

_AGGREGATIONS = frozenset({COUNT, SUM, MAX, MIN, AVERAGE, LATEST})
# A character has at most four bytes, and a dimension's text at most 200.
_WORD_LENGTH_MAX = 50
_VALUE_MAX = 10**20


def test_of(definition: MeterDefinition) -> Test | None:
    """The test of a meter, or None for meters that only the full measure can decide."""
    words = [each.path for each in definition.dimensions if not each.ranges] + list(definition.of)
    formula = definition.value or Formula()
    paths = [*words, *formula.plus, *formula.minus, *formula.times, *(path for path, _ in definition.where)]
    if definition.aggregation not in _AGGREGATIONS or any("." in path for path in paths):
        return None
    number = _number_test(formula)
    wheres = definition.where

    def is_plainly_usable(data: Mapping[str, Any]) -> bool:
        read = data.get
        for path, values in wheres:
            if read(path) not in values:
                return False
        for path in words:
            value = read(path)
            if value is not None and (type(value) is not str or len(value) > _WORD_LENGTH_MAX):
                return False
        return number is None or number(data)

    return is_plainly_usable


def _number_test(formula: Formula) -> Test | None:
    """Whether the formula's value is computed from whole numbers from 0 on, and is one itself.

    None where there is no formula.
    """
    if formula == Formula():
        return None

    def is_plain(data: Mapping[str, Any]) -> bool:
        total = 0
        for path in formula.plus:
            value = data.get(path)
            if type(value) is not int or not 0 <= value < _VALUE_MAX:
                return False
            total += value
        for path in formula.minus:
            value = data.get(path, 0)
            if type(value) is not int or not 0 <= value < _VALUE_MAX:
                return False
            total -= value
        if formula.times:
            total = 1
            for path in formula.times:
                value = data.get(path, 1)
                if type(value) is not int or not 0 <= value < _VALUE_MAX:
                    return False
                total *= value
        return 0 <= total < _VALUE_MAX

    return is_plain
