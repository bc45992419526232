"""Tax rates, and who is taxed how."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from billing.api.shapes.values import Amount
from metering.api.shapes import Cursor, Shape


class TaxRate(Shape):
    """A tax with its name as printed. ``percent``: of the amount before tax."""

    code: str
    name: str
    percent: Amount


class TaxRates(Shape):
    """Tax rates by code."""

    tax_rates: list[TaxRate]
    next: Cursor | None


class CustomerTax(Shape):
    """How a customer is taxed; ``treatment`` is null where nothing was said, and no tax is due."""

    treatment: Annotated[str | None, Meta(description="TAXED, EXEMPT or REVERSE_CHARGE")]
    rates: list[TaxRate]
    note: str
