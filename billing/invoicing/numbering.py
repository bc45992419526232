"""Gives invoices their numbers: one unbroken series, whatever is rolled back and however many workers run."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import Jsonb

from billing.models import Invoice
from billing.registering import SELLER_ID

DIGITS_MIN = 6

# The counter's row is locked from here to the commit: no later number can be committed before this one, and
# a rollback gives it back. For the shortest wait this is the last statement of its transaction, and it
# writes the number down in the same breath.
_FINALIZE = """
with taken as (
    update billing_seller set invoice_number_last = invoice_number_last + 1
    where id = %(seller_id)s
    returning invoice_prefix, invoice_number_last::text as digits
)
update billing_invoice
set number = invoice_prefix || lpad(digits, greatest(length(digits), %(digits_min)s), '0'),
    state = 'FINALIZED', finalized_at = %(finalized_at)s, due_date = %(due_date)s,
    seller = %(seller)s, buyer = %(buyer)s, blocked_reason = ''
from taken
where billing_invoice.id = %(invoice_id)s and state = 'DRAFT'
returning number
"""


def number_and_freeze(
    *, invoice: Invoice, finalized_at: datetime, due_date: date, seller: dict[str, Any], buyer: dict[str, Any]
) -> str:
    """The number that the draft got with being finalized. Must be the last statement of its transaction.

    From here on the database refuses every change of the invoice's content. The caller holds the invoice's
    lock.
    """
    values = {
        "seller_id": SELLER_ID,
        "digits_min": DIGITS_MIN,
        "finalized_at": finalized_at,
        "due_date": due_date,
        "seller": Jsonb(seller),
        "buyer": Jsonb(buyer),
        "invoice_id": invoice.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FINALIZE, values)
        rows = cursor.fetchall()
    if len(rows) != 1:  # rolls back, and with it the counter
        raise AssertionError(f"invoice {invoice.pk} was no draft any more, or the seller is missing")
    return rows[0][0]
