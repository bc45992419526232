"""Writes that a customer pays for a subject no longer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing.models import CustomerSubject
from billing.subscribing import assigning, locks
from billing.subscribing.refusals import NothingChanges, ValidityEmpty
from metering.periods import format_instant


@transaction.atomic
def release_subject(*, customer_subject: CustomerSubject, effective_at: datetime) -> CustomerSubject:
    """The subject, for which its payer pays until the instant only. Usage from then on is nobody's.

    An end can be brought forward, not put off: assign the subject anew from then on. Raises ValidityEmpty,
    NothingChanges, and SubjectInvoicedOtherwise where a later time is invoiced already.
    """
    locks.customer(customer_id=customer_subject.customer_id)
    row = CustomerSubject.objects.select_related("customer", "subscription").get(pk=customer_subject.pk)
    lower, upper = row.validity.lower, row.validity.upper
    if effective_at <= lower:
        raise ValidityEmpty(
            f"{row.customer.key} pays for {row.subject} from {format_instant(lower)} on; "
            "that cannot end before, or at once."
        )
    if upper is not None and effective_at >= upper:
        raise NothingChanges(f"{row.customer.key} pays for {row.subject} only until {format_instant(upper)}.")
    assigning.check_not_invoiced(row, effective_at)
    row.validity = DateTimeTZRange(lower, effective_at)
    row.save(update_fields=["validity"])
    return row
