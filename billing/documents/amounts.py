"""A price as it stands in a document: one number, or a part for compute and a part for storage."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metering import numbers
from metering.documents.fields import Either, Field, Shape
from metering.documents.kinds import NOT_NEGATIVE, ZERO, Number

PRICE = NOT_NEGATIVE


@dataclass(frozen=True, slots=True)
class Amount:
    """A price of at most 18 decimal places, not negative. `compute` and `storage` add up to `total`, or
    are None.
    """

    total: Decimal
    compute: Decimal | None = None
    storage: Decimal | None = None

    @property
    def is_split(self) -> bool:
        """Whether the price has both parts; a price of 0 has them, being 0."""
        return self.compute is not None or self.total == 0

    @property
    def compute_part(self) -> Decimal:
        """The part for compute of a split price."""
        return self.compute if self.compute is not None else ZERO


NOTHING = Amount(ZERO)


class _PlainAmount(Number):
    """A price on its own."""

    def read(self, value: Any, path: str) -> Amount:  # type: ignore[override]
        return Amount(PRICE.read(value, path))

    def canonical(self, value: Any, path: str) -> Any:
        return PRICE.canonical(value, path)


def _split(values: dict[str, Any], _given: frozenset[str], _path: str) -> Amount:
    with numbers.exact():
        return Amount(values["compute"] + values["storage"], **values)


_PLAIN = _PlainAmount()
_SPLIT = Shape("a split price", {"compute": Field(PRICE), "storage": Field(PRICE)}, _split)
AMOUNT = Either((_PLAIN, _SPLIT), lambda value, _path: _SPLIT if isinstance(value, dict) else _PLAIN)
