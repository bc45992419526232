"""Which of several conditions on dimension values holds, and which could hold at once."""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from math import prod

When = tuple[tuple[str, tuple[str, ...]], ...]
EXPANDED_MAX = 10_000


def matches(when: When, values: Mapping[str, str]) -> bool:
    """Whether each named dimension has one of its values; a dimension that usage does not have is ""."""
    return all(values.get(name, "") in accepted for name, accepted in when)


def first_tie(conditions: Sequence[When]) -> tuple[int, int] | None:
    """The places of the first two conditions that name equally many dimensions and can both match, or
    None.
    """
    by_names: dict[tuple[str, ...], list[int]] = {}
    for place, when in enumerate(conditions):
        by_names.setdefault(tuple(name for name, _ in when), []).append(place)
    ties = [tie for places in by_names.values() if (tie := _tie_of_same_names(conditions, places))]
    for left, right in combinations(by_names, 2):
        if len(left) == len(right):
            ties += _ties(conditions, by_names[left], by_names[right])
    return min(ties, key=lambda tie: (tie[1], tie[0]), default=None)


def _tie_of_same_names(conditions: Sequence[When], places: list[int]) -> tuple[int, int] | None:
    """The first tie among conditions on the same dimensions, found by their combinations of values."""
    if any(prod(len(accepted) for _, accepted in conditions[place]) > EXPANDED_MAX for place in places):
        return next(
            (pair for pair in combinations(places, 2) if _can_both_match(*(conditions[p] for p in pair))),
            None,
        )
    seen: dict[tuple[str, ...], int] = {}
    for place in places:
        for values in product(*(accepted for _, accepted in conditions[place])):
            if values in seen:
                return seen[values], place
            seen[values] = place
    return None


def _ties(conditions: Sequence[When], lefts: list[int], rights: list[int]) -> list[tuple[int, int]]:
    return [
        (min(left, right), max(left, right))
        for left in lefts
        for right in rights
        if _can_both_match(conditions[left], conditions[right])
    ]


def _can_both_match(left: When, right: When) -> bool:
    other = dict(right)
    return all(name not in other or set(accepted) & set(other[name]) for name, accepted in left)
