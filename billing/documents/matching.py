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
    ties = [_tie_of_same_names(conditions, places) for places in by_names.values()]
    for left, right in combinations(by_names, 2):
        if len(left) == len(right):
            shared = sorted(set(left) & set(right))
            ties.append(_tie_of_others(conditions, by_names[left], by_names[right], shared))
    return min((tie for tie in ties if tie), key=lambda tie: (tie[1], tie[0]), default=None)


def _tie_of_same_names(conditions: Sequence[When], places: list[int]) -> tuple[int, int] | None:
    """The first tie among conditions on the same dimensions."""
    if _are_wide(conditions, places):
        pairs = ((earlier, place) for n, place in enumerate(places) for earlier in places[:n])
        return next((pair for pair in pairs if _can_both_match(*(conditions[p] for p in pair))), None)
    seen: dict[tuple[str, ...], int] = {}
    for place in places:
        accepted = list(product(*(values for _, values in conditions[place])))
        earlier = [seen[values] for values in accepted if values in seen]
        if earlier:
            return min(earlier), place
        seen |= dict.fromkeys(accepted, place)
    return None


def _tie_of_others(
    conditions: Sequence[When], lefts: list[int], rights: list[int], shared: Sequence[str]
) -> tuple[int, int] | None:
    """The first tie between conditions on other dimensions: both accept a value of each that they share."""
    if _are_wide(conditions, [*lefts, *rights]):
        pairs = (
            (min(pair), max(pair))
            for pair in product(lefts, rights)
            if _can_both_match(*(conditions[p] for p in pair))
        )
    else:
        first = _first_places(conditions, lefts, shared)
        other = _first_places(conditions, rights, shared)
        pairs = (
            (min(first[values], other[values]), max(first[values], other[values]))
            for values in first.keys() & other.keys()
        )
    return min(pairs, key=lambda tie: (tie[1], tie[0]), default=None)


def _first_places(
    conditions: Sequence[When], places: list[int], names: Sequence[str]
) -> dict[tuple[str, ...], int]:
    """The first condition that accepts each combination of values of the dimensions."""
    found: dict[tuple[str, ...], int] = {}
    for place in places:
        accepted = dict(conditions[place])
        for values in product(*(accepted[name] for name in names)):
            found.setdefault(values, place)
    return found


def _are_wide(conditions: Sequence[When], places: list[int]) -> bool:
    """Whether a condition accepts so many combinations of values that they cannot all be listed."""
    return any(prod(len(accepted) for _, accepted in conditions[place]) > EXPANDED_MAX for place in places)


def _can_both_match(left: When, right: When) -> bool:
    other = dict(right)
    return all(name not in other or set(accepted) & set(other[name]) for name, accepted in left)
