"""Gives invoices their numbers: one unbroken series, whatever is rolled back and however many workers run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import Jsonb

from billing.models import Invoice
from billing.registering import SELLER_ID

DIGITS_MIN = 6
INVOICES_MAX = 50  # in one transaction: so many others wait for the counter until it is committed

# The counter's row is locked from here to the commit: no later number can be committed before these, and a
# rollback gives them back. For the shortest wait this is the last statement of its transaction, and it
# writes the numbers down in the same breath. The drafts are numbered in the order in which they are given.
_FINALIZE = """
with wanted as (
    select (row ->> 'id')::bigint as id, (row ->> 'due_date')::date as due_date, row -> 'buyer' as buyer,
        place
    from jsonb_array_elements(%(drafts)s) with ordinality as given (row, place)
), taken as (
    update billing_seller set invoice_number_last = invoice_number_last + %(count)s
    where id = %(seller_id)s
    returning invoice_prefix, invoice_number_last - %(count)s as before
), numbered as (
    select wanted.*, invoice_prefix, (before + place)::text as digits from wanted, taken
)
update billing_invoice
set number = invoice_prefix || lpad(digits, greatest(length(digits), %(digits_min)s), '0'),
    state = 'FINALIZED', finalized_at = %(finalized_at)s, due_date = numbered.due_date,
    seller = %(seller)s, buyer = numbered.buyer, blocked_reason = ''
from numbered
where billing_invoice.id = numbered.id and state = 'DRAFT'
returning billing_invoice.id, number
"""


@dataclass(frozen=True)
class Print:
    """What a draft gets with its number: until when it is to be paid, and the buyer as printed."""

    invoice: Invoice
    due_date: date
    buyer: dict[str, Any]


def number_and_freeze(
    *, prints: Sequence[Print], finalized_at: datetime, seller: dict[str, Any]
) -> dict[int, str]:
    """The numbers, by invoice id, that the drafts got with being finalized, one after the other.

    Must be the last statement of its transaction, for at most INVOICES_MAX drafts, whose locks the caller
    holds. From here on the database refuses every change of the invoices' content.
    """
    assert 0 < len(prints) <= INVOICES_MAX
    drafts = [
        {"id": each.invoice.pk, "due_date": each.due_date.isoformat(), "buyer": each.buyer} for each in prints
    ]
    values = {
        "drafts": Jsonb(drafts),
        "count": len(drafts),
        "seller_id": SELLER_ID,
        "digits_min": DIGITS_MIN,
        "finalized_at": finalized_at,
        "seller": Jsonb(seller),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FINALIZE, values)
        numbers = dict(cursor.fetchall())
    if len(numbers) != len(drafts):  # rolls back, and with it the counter
        raise AssertionError("an invoice was no draft any more, or the seller is missing")
    return numbers
