"""matrix: a price for each combination of dimension values."""

from fractions import Fraction

from billing.documents import matching
from billing.documents.amounts import Amount
from billing.documents.prices import Matrix
from billing.rating.statement import Step
from billing.rating.use import Use
from metering.documents.errors import DocumentError


def steps(price: Matrix, use: Use) -> list[Step]:
    """A step for each combination. Raises DocumentError `unpriced` for one without a rate where there is
    no `otherwise`.
    """
    sums: dict[tuple[tuple[str, str], ...], Fraction] = {}
    fields: dict[tuple[tuple[str, str], ...], str] = {}
    names = sorted(price.by)
    for take in use.takes:
        known = dict(take.dimensions)
        values = tuple((name, known.get(name, "")) for name in names)
        sums[values] = sums.get(values, Fraction(0)) + take.quantity
        fields.setdefault(values, take.field)
    found = []
    for values, quantity in sorted(sums.items()):
        note = ", ".join(f"{name}={value}" for name, value in values)
        unit_amount = amount_for(price, dict(values))
        if unit_amount is None:
            raise DocumentError("unpriced", f"no rate of the matrix prices {note}", fields[values])
        found.append(Step.priced(quantity, unit_amount, note=note))
    return found


def amount_for(price: Matrix, values: dict[str, str]) -> Amount | None:
    """The price of a combination: of the matching rate that names most dimensions, else `otherwise`, else
    None.
    """
    best = max(
        (rate for rate in price.rates if matching.matches(rate.when, values)),
        key=lambda rate: len(rate.when),
        default=None,
    )
    return price.otherwise if best is None else best.unit_amount
