"""What a statement was computed from, as canonical JSON: enough to compute it again, to the cent, for ever.

A rating input is a dict of plain JSON:

- ``version``: 1, the layout of this dict
- ``period``, ``billed_period``: ``{start, end}``; ``timezone``; ``as_of``; ``is_final``
- ``pauses``: ``[{start, end}]`` inside the billed period; ``is_trial``; ``part``: ADVANCE or ARREARS
- ``segments``: ``[{start, end, plan, version, document, overrides}]``, the plan documents as published,
  market prices fixed
- ``meters``: ``[{slug, version, document}]``
- ``spans``: by meter, ``[{subject, start, end}]``: whose usage was read, from when to when
- ``usage``: ``[{meter, quantity, at, dimensions, count}]``, quantities in the meter's unit, "p/q" where no
  decimal ends; also ``until`` where the quantity is spread over time, ``component`` where it was measured for
  one component alone, ``source``, ``id`` and ``data`` (what its price reads of it) of a single event
- ``billed``: ``[{component, group, dimensions, kind, amount}]``, lines of earlier invoices of the period
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing import rating
from billing.documents import plan as plans
from billing.rating import Billed, MeterFacts, Segment, Statement, UsageRow
from metering import numbers, periods
from metering.documents import meter as meters
from metering.periods import Period

LAYOUT = 1


class EvidenceTampered(Exception):
    """A stored rating input is not what its hash was taken of."""


@dataclass(frozen=True)
class Packed:
    """A rating input to be stored: compressed, with the SHA-256 (hex) of its canonical JSON."""

    content: bytes
    sha256: str


def pack(rating_input: Mapping[str, Any]) -> Packed:
    """The rating input in the form in which invoices keep it."""
    text = canonical(rating_input)
    return Packed(zlib.compress(text), hashlib.sha256(text).hexdigest())


def unpack(packed: Packed) -> dict[str, Any]:
    """The rating input that was packed. Raises EvidenceTampered where the hash is not that of the content."""
    try:
        text = zlib.decompress(packed.content)
    except zlib.error as error:
        raise EvidenceTampered("the stored rating input cannot be decompressed") from error
    if hashlib.sha256(text).hexdigest() != packed.sha256:
        raise EvidenceTampered("the stored rating input does not have the SHA-256 that was stored with it")
    rating_input: dict[str, Any] = json.loads(text)
    return rating_input


def canonical(rating_input: Mapping[str, Any]) -> bytes:
    """The one JSON text of a rating input: UTF-8, members sorted, no spaces, no floats."""
    return json.dumps(
        rating_input, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def rate(rating_input: Mapping[str, Any]) -> Statement:
    """The statement of a rating input. Raises DocumentError as rating does, such as ``unpriced``."""
    segments = rating_input["segments"]
    return rating.rate(
        segments=[_segment(each, is_named=len(segments) > 1) for each in segments],
        period=read_period(rating_input["period"]),
        billed_period=read_period(rating_input["billed_period"]),
        usage=[_row(each) for each in rating_input["usage"]],
        meters={
            each["slug"]: MeterFacts.of(meters.parse(each["document"])) for each in rating_input["meters"]
        },
        timezone=rating_input["timezone"],
        billed=[Billed(**{**each, "amount": Decimal(each["amount"])}) for each in rating_input["billed"]],
        as_of=periods.parse_instant(rating_input["as_of"]),
        is_final=rating_input["is_final"],
        pauses=[read_period(each) for each in rating_input.get("pauses", ())],
        is_trial=rating_input.get("is_trial", False),
        part=rating_input.get("part"),
    )


def written_period(period: Period) -> dict[str, str]:
    """A period as a rating input has it."""
    return {"start": periods.format_instant(period.start), "end": periods.format_instant(period.end)}


def read_period(written: Mapping[str, str]) -> Period:
    """The period of a rating input."""
    return Period(periods.parse_instant(written["start"]), periods.parse_instant(written["end"]))


def written_quantity(quantity: Fraction) -> str:
    """A quantity as a rating input has it: a decimal, or "p/q" where none ends."""
    return numbers.text(numbers.to_decimal(quantity)) if numbers.ends(quantity) else str(quantity)


def written_billed(billed: Billed) -> dict[str, Any]:
    """A billed line as a rating input has it."""
    return {
        "component": billed.component,
        "group": billed.group,
        "dimensions": dict(billed.dimensions),
        "kind": billed.kind,
        "amount": f"{billed.amount:f}",
    }


def _segment(written: Mapping[str, Any], is_named: bool) -> Segment:
    period = read_period(written)
    plan = plans.apply_overrides(plans.parse(written["document"]), written["overrides"])
    return Segment(plan, period.start, period.end, f"version {written['version']}" if is_named else "")


def _row(written: Mapping[str, Any]) -> UsageRow:
    return UsageRow(
        meter=written["meter"],
        quantity=Fraction(written["quantity"]),
        at=periods.parse_instant(written["at"]),
        until=periods.parse_instant(written["until"]) if "until" in written else None,
        dimensions=written["dimensions"],
        count=written["count"],
        source=written.get("source", ""),
        id=written.get("id", ""),
        data=written.get("data"),
        component=written.get("component", ""),
    )
