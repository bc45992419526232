"""Says who is taxed how, and answers which taxes a customer's amount bears."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction

from billing import taxes
from billing.models import Customer, CustomerTax, TaxRate
from billing.taxes import Rate, Tax

EXEMPT, REVERSE_CHARGE = "Tax exempt", "Reverse charge"
REVERSE_CHARGE_NOTE = "Reverse charge: the recipient of the service owes the tax."

# What a queryset of customers prefetches so that `of` asks the database nothing more.
RELATED = "tax__rates"


class TaxRefused(Exception):
    """The taxes of a customer cannot be as they were given; the message says why."""


class PercentOutOfRange(TaxRefused):
    """A rate is from 0 to 100 percent."""

    field = "percent"


class TaxRateCodeTaken(TaxRefused):
    """Another rate has this code already."""

    field = "code"


class RatesMissing(TaxRefused):
    """A taxed customer needs a rate."""

    field = "rates"


class RatesOfUntaxed(TaxRefused):
    """A customer who is exempt, or owes the tax themselves, has no rates."""

    field = "rates"


def of(*, customer: Customer, net: Decimal, digits: int) -> list[Tax]:
    """The taxes on an amount before tax: one for each rate of the customer, each rounded once, half up.

    For an exempt customer and for reverse charge one tax of 0 with its note; for a customer of whom nothing
    is said, none. Asks the database nothing for customers whose `RELATED` was prefetched.
    """
    said: CustomerTax | None = getattr(customer, "tax", None)
    if said is None:
        return []
    if said.treatment == CustomerTax.Treatment.EXEMPT:
        return taxes.none(net=net, name=EXEMPT, digits=digits, note=said.note)
    if said.treatment == CustomerTax.Treatment.REVERSE_CHARGE:
        return taxes.none(net=net, name=REVERSE_CHARGE, digits=digits, note=said.note or REVERSE_CHARGE_NOTE)
    rates = sorted(said.rates.all(), key=lambda rate: rate.code)
    return taxes.on(net=net, rates=[Rate(rate.name, rate.percent) for rate in rates], digits=digits)


def define_rate(*, code: str, name: str, percent: Decimal) -> TaxRate:
    """The rate of that code, new or changed. Drafts follow it; what is finalized does not change.

    Raises PercentOutOfRange.
    """
    _check_percent(percent)
    rate, _is_new = TaxRate.objects.update_or_create(code=code, defaults={"name": name, "percent": percent})
    return rate


def new_rate(*, code: str, name: str, percent: Decimal) -> TaxRate:
    """A new rate, which nobody bears yet. Raises PercentOutOfRange and TaxRateCodeTaken."""
    _check_percent(percent)
    rate, is_new = TaxRate.objects.get_or_create(code=code, defaults={"name": name, "percent": percent})
    if not is_new:
        raise TaxRateCodeTaken(f"There is a tax rate with the code {code} already.")
    return rate


@transaction.atomic
def change_rate(*, rate: TaxRate, name: str | None = None, percent: Decimal | None = None) -> TaxRate:
    """The rate with another name or percentage; None leaves it. Drafts follow, what is finalized does not.

    Raises PercentOutOfRange.
    """
    changed = TaxRate.objects.select_for_update().get(pk=rate.pk)
    if percent is not None:
        _check_percent(percent)
        changed.percent = percent
    if name is not None:
        changed.name = name
    changed.save(update_fields=["name", "percent"])
    return changed


def _check_percent(percent: Decimal) -> None:
    if not 0 <= percent <= 100:
        raise PercentOutOfRange(f"{percent} is no percentage from 0 to 100.")


@transaction.atomic
def assign(
    *,
    customer: Customer,
    treatment: str = CustomerTax.Treatment.TAXED,
    rates: Sequence[TaxRate] = (),
    note: str = "",
) -> CustomerTax:
    """Says how the customer is taxed from the next draft on; a draft that stands follows it too.

    ``treatment``: a value of CustomerTax.Treatment. ``note``: printed for one that is exempt, or owes the tax
    themselves. Raises RatesMissing and RatesOfUntaxed.
    """
    is_taxed = treatment == CustomerTax.Treatment.TAXED
    if is_taxed and not rates:
        raise RatesMissing(f"{customer.key} is to be taxed: name at least one rate.")
    if rates and not is_taxed:
        raise RatesOfUntaxed(f"{customer.key} is not taxed: leave out the rates.")
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    said, _is_new = CustomerTax.objects.update_or_create(
        customer=customer, defaults={"treatment": treatment, "note": note}
    )
    said.rates.set(rates)
    return said
