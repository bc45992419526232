"""Writes who sells and who buys: the one seller of this deployment, and its customers."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from billing.documents import currencies
from billing.models import Customer, Seller

SELLER_ID = 1
_FIXED = {
    "key": "a customer keeps the key that it was made with",
    "currency": "a customer keeps the currency that it was made with",
    "timezone": "it bounds billing periods, too: subscribing.change_timezone changes both",
}


class CustomerKeyTaken(Exception):
    """Another customer has this key already."""

    field = "key"


class CustomerInvalid(Exception):
    """A value of a customer cannot be taken; ``field`` names it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class CustomerFixed(CustomerInvalid):
    """The key and the currency of a customer stay as they are; the time zone is no mere detail."""


def seller(*, name: str, **details: object) -> Seller:
    """The seller of this deployment: the one there is, unchanged, or a new one with these values.

    ``details``: further columns of `Seller`, such as ``tax_id`` or ``due_days``.
    """
    found, _is_new = Seller.objects.get_or_create(id=SELLER_ID, defaults={"name": name, **details})
    return found


@transaction.atomic
def customer(*, key: str, name: str, currency: str, at: datetime, **details: object) -> Customer:
    """A new customer. ``details``: further columns of `Customer`, such as ``timezone`` or ``tax_id``.

    Raises CustomerKeyTaken, and CustomerInvalid for a value that a column refuses (an unknown currency or
    time zone).
    """
    made = Customer(key=key, name=name, currency=currency, created_at=at, **details)
    _check(made)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise CustomerKeyTaken(f"There is a customer with the key {key} already.") from error
    return made


@transaction.atomic
def change(*, customer: Customer, **details: object) -> Customer:
    """The customer with other values in these columns; the others stay as they are.

    What was finalized stays as it was printed. Raises CustomerFixed, and CustomerInvalid for a value that a
    column refuses.
    """
    for field in sorted(_FIXED.keys() & details.keys()):
        raise CustomerFixed(f"{field}: {_FIXED[field]}", field)
    changed = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    for column, value in details.items():
        setattr(changed, column, value)
    _check(changed)
    changed.save(update_fields=list(details))
    return changed


def _check(made: Customer) -> None:
    try:
        currencies.digits(made.currency)
    except currencies.CurrencyUnknown as error:
        raise CustomerInvalid(f"currency: {error}", "currency") from error
    try:
        made.clean_fields()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise CustomerInvalid(f"{field}: {' '.join(messages)}", field) from error
