"""The values of a node that differ, with the words for what they are: the price of a tier, a discount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from metering import numbers

MONEY, PERCENT, PLAIN = "money", "percent", "plain"
_ABSENT = "(none)"
# Amounts, by their keys, and what each of them is the price of.
_AMOUNTS = {
    "unit_amount": "price of a unit",
    "flat_amount": "amount once",
    "package_amount": "price of a package",
    "amount": "amount",
    "otherwise": "price of all other usage",
    "unknown": "price of models without a market price",
    "fixed_amount": "amount of an event",
    "minimum_per_event": "minimum of an event",
    "maximum_per_event": "maximum of an event",
    "minimum": "minimum",
    "maximum": "maximum",
}
_PERCENTS = {
    "discount_percent": "discount",
    "markup_percent": "markup",
    "percent": "percent",
    "rate": "rate",
}
_LABELS = {"included": "free units", "package_size": "units of a package", "up_to": "bound"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that differs: its path in the document, the words for it, and what it was and becomes.

    A part of a list that is new or gone is None on the other side, and has ``is_part``.
    """

    path: str
    label: str
    unit: str
    old: Any
    new: Any
    is_part: bool = False


def leaves(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "", label: str = "") -> Iterator[Leaf]:
    """The values that differ, in the order of the new mapping."""
    for key in [*new, *(key for key in old if key not in new)]:
        was, becomes = old.get(key), new.get(key)
        if was == becomes:
            continue
        place = f"{path}.{key}" if path else key
        if _is_other_price(was, becomes, key):
            yield Leaf(place, f"{label}{key}", PLAIN, was, becomes)
        elif _unit(key, new, old) == PLAIN and isinstance(was, Mapping) and isinstance(becomes, Mapping):
            yield from leaves(was, becomes, place, _below(label, key))
        elif _is_of_parts(was) or _is_of_parts(becomes):
            yield from _parts(was or [], becomes or [], key, place, label)
        else:
            yield Leaf(place, f"{label}{_name(key)}", _unit(key, new, old), was, becomes)


def sentence(leaf: Leaf, currency: str) -> str:
    """ "price of a unit 2.5 USD -> 3 USD (+20%)"."""
    if leaf.is_part:
        is_new = leaf.old is None
        rest = price(leaf.new if is_new else leaf.old, currency)
        return f"{leaf.label} added: {rest}" if is_new else f"{leaf.label} removed, was {rest}"
    was, becomes = _words(leaf.old, leaf.unit, currency), _words(leaf.new, leaf.unit, currency)
    return f"{leaf.label} {was} -> {becomes}{_step(leaf)}"


def price(document: Mapping[str, Any], currency: str) -> str:
    """A price, a tier or a rate with everything that it says: "per_unit, price of a unit 2.5 USD"."""
    said = []
    for key, value in document.items():
        if key in ("model", "by", "when", "up_to"):
            continue
        if _is_of_parts(value):
            said += [f"{name}: {price(part, currency)}" for name, part in _named(value, key).items()]
        else:
            said.append(f"{_name(key)} {_words(value, _unit(key, document), currency)}")
    return ", ".join([document["model"], *said] if "model" in document else said) or "free"


def _parts(old: Sequence[Any], new: Sequence[Any], key: str, path: str, label: str) -> Iterator[Leaf]:
    """The differences of two lists of tiers, rates, windows or discounts, each found again by its name."""
    is_by_place = key == "tiers" and len(old) == len(new)
    before, after = _named(old, key), _named(new, key)
    if is_by_place:
        # The bound of a tier may change: then it is still the same tier.
        before = dict(zip(after, old, strict=True))
    for name in [*after, *(name for name in before if name not in after)]:
        was, becomes = before.get(name), after.get(name)
        place, title = f"{path}[{name}]", f"{label}{name}"
        if was is None or becomes is None:
            yield Leaf(place, title, PLAIN, was, becomes, is_part=True)
        else:
            yield from leaves(was, becomes, place, f"{title}, ")
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield Leaf(path, f"{label}order of {key}", PLAIN, list(before), list(after))


def _named(parts: Sequence[Mapping[str, Any]], key: str) -> dict[str, Mapping[str, Any]]:
    """The parts of a list by names that say which they are, one name never twice."""
    named: dict[str, Mapping[str, Any]] = {}
    below = None
    for part in parts:
        name = _part_name(part, key, below)
        below = part.get("up_to")
        while name in named:
            name += " again"
        named[name] = part
    return named


def _part_name(part: Mapping[str, Any], key: str, below: Any) -> str:
    if key == "tiers":
        bound = part.get("up_to")
        if bound is not None:
            return f"tier up to {bound}"
        return "the only tier" if below is None else f"tier above {below}"
    if key == "rates":
        return "rate of " + ", ".join(
            f"{name} {' or '.join(values)}" for name, values in sorted(part["when"].items())
        )
    if key == "windows":
        days = " ".join(part.get("days") or ["every day"])
        return f"window {days} {part['from']} to {part['to']}"
    return f"discount {part.get('name', 'Discount')}"


def _is_of_parts(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, Mapping) for each in value)


def _is_other_price(old: Any, new: Any, key: str) -> bool:
    return key == "price" and (not old or not new or old.get("model") != new.get("model"))


def _below(label: str, key: str) -> str:
    return label if key == "price" else f"{label}{_name(key)}, "


def _name(key: str) -> str:
    return _AMOUNTS.get(key) or _PERCENTS.get(key) or _LABELS.get(key) or key


def _unit(key: str, *parents: Mapping[str, Any]) -> str:
    if any(parent.get("model") == "dynamic" for parent in parents) and key == "amount":
        return PLAIN  # a path in the events
    if key in _AMOUNTS:
        return MONEY
    return PERCENT if key in _PERCENTS else PLAIN


def _words(value: Any, unit: str = PLAIN, currency: str = "") -> str:
    if value is None:
        return _ABSENT
    if unit == MONEY:
        return _money(value, currency)
    if unit == PERCENT:
        return f"{value}%"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        if "model" in value:
            return f"({price(value, currency)})"
        return "{" + ", ".join(f"{key}: {_words(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_words(each) for each in value) + "]"
    return str(value)


def _money(value: Any, currency: str) -> str:
    """ "0.15 USD", of a split one "0.15 USD (compute 0.12, storage 0.03)"."""
    if not isinstance(value, Mapping):
        return f"{value} {currency}"
    if "unit_amount" in value:  # the same under the name that it has everywhere else
        return _money(value["unit_amount"], currency)
    parts = ", ".join(f"{part} {each}" for part, each in value.items())
    return f"{numbers.text(_sum(value))} {currency} ({parts})"


def _sum(value: Any) -> Decimal:
    if isinstance(value, Mapping):
        with numbers.exact():
            return sum((_sum(each) for each in value.values()), Decimal(0))
    return Decimal(str(value))


def _step(leaf: Leaf) -> str:
    """ " (+20%)" behind an amount that had been something."""
    if leaf.unit != MONEY or leaf.old is None or leaf.new is None or not _sum(leaf.old):
        return ""
    old, new = Fraction(_sum(leaf.old)), Fraction(_sum(leaf.new))
    percent = numbers.round_half_up((new - old) / old * 100, 1)
    return f" ({percent.normalize():+f}%)" if percent else ""
