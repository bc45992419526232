"""Usage as a table: a bounded answer for people and programs that look at it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from metering.models import MeterVersion
from metering.periods import Period
from metering.usage import meters, totals
from metering.usage.totals import Usage
from metering.usage.windows import Windows


class RowsTooMany(ValueError):
    """A question whose answer has more rows than the asker wants to have."""


class FilterDoesNotAdd(ValueError):
    """Several values of a dimension were to be merged, of a meter whose quantities do not add up."""


def rows(
    *,
    meter: MeterVersion,
    spans: Sequence[tuple[str, Period]],
    rows_max: int,
    by: Sequence[str] = (),
    windows: Windows | None = None,
    only: Mapping[str, Collection[str]] | None = None,
) -> tuple[Usage, ...]:
    """As `totals.quantities`, of the usage whose dimensions have one of the values in ``only``.

    Of a meter that does not add up (MAX, say) a filtered dimension is either in ``by`` or has one value.
    Raises RowsTooMany, FilterDoesNotAdd, and what `totals.quantities` raises.
    """
    only = only or {}
    merged = [name for name in only if name not in by]
    if not meters.definition(meter).additive:
        _check_nothing_is_merged({name: only[name] for name in merged}, meter)
    found: Sequence[Usage] = totals.quantities(
        meter=meter, spans=spans, by=[*by, *merged], windows=windows
    ).rows
    if only:
        found = _filtered(found, only)
    if merged:
        found = _merged(found, by)
    if len(found) > rows_max:
        raise RowsTooMany(
            f"the answer has {len(found):,} rows, more than {rows_max:,}: ask for a shorter time, longer "
            "windows, fewer subjects or fewer dimensions at once"
        )
    return tuple(found)


def _check_nothing_is_merged(only: Mapping[str, Collection[str]], meter: MeterVersion) -> None:
    for name, values in only.items():
        if len(set(values)) > 1:
            definition = meters.definition(meter)
            raise FilterDoesNotAdd(
                f"{definition.aggregation} of several values of {name} is not the sum of theirs: "
                f"group by {name}, or ask for one value"
            )


def _filtered(found: Sequence[Usage], only: Mapping[str, Collection[str]]) -> list[Usage]:
    kept = {name: frozenset(values) for name, values in only.items()}
    return [each for each in found if all(each.dimensions[name] in values for name, values in kept.items())]


def _merged(found: Sequence[Usage], by: Sequence[str]) -> list[Usage]:
    """Added up over the dimensions that are not in ``by``; the order of the groups stays."""
    groups: dict[tuple[Period | None, tuple[str, ...]], tuple[Fraction, int]] = {}
    for each in found:
        group = each.window, tuple(each.dimensions[name] for name in by)
        quantity, count = groups.get(group, (Fraction(0), 0))
        groups[group] = quantity + each.quantity, count + each.count
    return [
        Usage(dict(zip(by, values, strict=True)), window, quantity, count)
        for (window, values), (quantity, count) in groups.items()
    ]
