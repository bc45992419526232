"""Amounts as answers have them: texts with the digits of their currency."""

from __future__ import annotations

from decimal import Decimal

from billing.documents import currencies
from metering import numbers


def text(amount: Decimal, currency: str) -> str:
    """A rounded amount with its currency's digits. One that has more raises decimal.Inexact."""
    with numbers.exact():
        return f"{amount.quantize(Decimal(1).scaleb(-currencies.digits(currency))):f}"
