"""The sums of an invoice: of its periods, and the taxes on them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from billing import taxes, taxing
from billing.documents import currencies
from billing.models import Customer, Invoice, ServicePeriod
from metering import numbers

ZERO = Decimal(0)


def fill(*, invoice: Invoice, customer: Customer, periods: Sequence[ServicePeriod]) -> None:
    """Sets the sums of an invoice over its periods, without saving.

    The taxes are computed once, on what is left after the discounts of all periods together.
    """
    with numbers.exact():
        invoice.subtotal = sum((period.subtotal for period in periods), ZERO)
        net = sum((period.total for period in periods), ZERO)
        invoice.discount_total = invoice.subtotal - net
        due = taxing.of(customer=customer, net=net, digits=currencies.digits(invoice.currency))
        invoice.taxes = [each.answer() for each in due]
        invoice.tax_total = taxes.total(due)
        invoice.total = net + invoice.tax_total
