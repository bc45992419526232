"""Whether Meterbook counted what the files hold: the metered quantities beside `config.demo.totals`."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

from config.demo import totals, world
from metering import usage


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One quantity of one subject (or of several added up), counted in two ways."""

    subject: str
    meter: str
    name: str
    unit: str
    expected: Fraction
    metered: Fraction

    @property
    def is_equal(self) -> bool:
        return self.expected == self.metered


def compare(*, every: int) -> list[Comparison]:
    """Each subject's quantity of each meter in May 2020, in the order of the customers."""
    meters = {str(document["slug"]): document for document in world.meter_documents()}
    expected, metered = totals.from_files(every=every), _metered(set(meters))
    return [
        Comparison(
            subject=buyer.subject,
            meter=slug,
            name=str(document["name"]),
            unit=str(document["unit"]),
            expected=expected.get((buyer.subject, slug), Fraction(0)),
            metered=metered.get((buyer.subject, slug), Fraction(0)),
        )
        for buyer in world.buyers()
        for slug, document in meters.items()
        if (buyer.subject, slug) in expected.keys() | metered.keys()
    ]


def added_up(*, comparisons: list[Comparison], subjects: set[str]) -> list[Comparison]:
    """The comparisons of ``subjects`` with each meter added up over them; their subject is ""."""
    sums: dict[str, Comparison] = {}
    for one in comparisons:
        if one.subject not in subjects:
            continue
        so_far = sums.get(one.meter) or dataclasses.replace(
            one, subject="", expected=Fraction(0), metered=Fraction(0)
        )
        sums[one.meter] = dataclasses.replace(
            so_far, expected=so_far.expected + one.expected, metered=so_far.metered + one.metered
        )
    return list(sums.values())


def _metered(slugs: set[str]) -> dict[tuple[str, str], Fraction]:
    spans = [(buyer.subject, world.MONTH) for buyer in world.buyers()]
    found: dict[tuple[str, str], Fraction] = {}
    for slug, version in usage.versions(at=world.MONTH.start, slugs=slugs).items():
        answer = usage.quantities(meter=version, spans=spans, by=("subject",))
        for row in answer.rows:
            if row.quantity:
                found[row.dimensions["subject"], slug] = row.quantity
    return found
