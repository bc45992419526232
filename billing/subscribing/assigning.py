"""Writes who pays for which subject, and which of the payer's subscriptions is charged."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing.models import Customer, CustomerSubject, Invoice, ServicePeriod, Subscription
from billing.subscribing import checks, locks
from billing.subscribing.refusals import (
    NothingChanges,
    SubjectAlreadyPaidFor,
    SubjectInvoicedOtherwise,
    SubjectNotPaidFor,
    SubscriptionOfAnotherCustomer,
    ValidityEmpty,
)
from metering.periods import Period, format_instant


@transaction.atomic
def assign_subject(
    *,
    customer: Customer,
    subject: str,
    validity: Period | DateTimeTZRange,
    subscription: Subscription | None = None,
) -> CustomerSubject:
    """Says that the customer pays for the subject's usage during ``validity``, a range without end allowed.

    ``subscription``: which one is charged; needed where several price the same meter. Events need not be
    there yet, nor be younger: usage counts from its own time. Raises a SubscriptionRefused.
    """
    customer = locks.customer(customer_id=customer.pk)
    checks.not_merged(customer)
    stretch = _range(validity)
    check_payer(customer, subject, stretch, subscription)
    return _saved(customer, subject, stretch, subscription)


@transaction.atomic
def charge_subject(*, customer_subject: CustomerSubject, subscription: Subscription) -> CustomerSubject:
    """Says which of the payer's subscriptions is charged for a subject that is assigned already.

    Raises `SubjectInvoicedOtherwise` where another subscription of the payer was invoiced for a part of the
    time: its usage would be billed twice.
    """
    customer = locks.customer(customer_id=customer_subject.customer_id)
    if subscription.customer_id != customer.pk:
        raise SubscriptionOfAnotherCustomer(f"{subscription.key} is no subscription of {customer.key}.")
    invoiced = ServicePeriod.objects.filter(subscription__customer=customer, is_void=False)
    validity = customer_subject.validity
    if validity.lower is not None:
        invoiced = invoiced.filter(end_at__gt=validity.lower)
    if validity.upper is not None:
        invoiced = invoiced.filter(start_at__lt=validity.upper)
    other = invoiced.exclude(subscription=subscription).order_by("start_at").first()
    if other is not None:
        raise SubjectInvoicedOtherwise(
            f"{other} was invoiced while {customer_subject.subject} was charged there: "
            "void that invoice first."
        )
    customer_subject.subscription = subscription
    customer_subject.save(update_fields=["subscription"])
    return customer_subject


@transaction.atomic
def move_subject(
    *,
    subject: str,
    customer: Customer,
    effective_at: datetime,
    subscription: Subscription | None = None,
) -> CustomerSubject:
    """Says that ``customer`` pays for the subject from the instant on, in place of who does until then.

    The validity is cut there and continued for the new payer, to the end that it had. ``subscription``: as in
    `assign_subject`; naming another one of the same payer moves the subject to it. Raises a
    SubscriptionRefused.
    """
    found = CustomerSubject.objects.filter(subject=subject, validity__contains=effective_at)
    payer_id = found.values_list("customer_id", flat=True).first()
    locked = locks.customers(ids=[customer.pk, payer_id or customer.pk])
    row = found.select_related("customer", "subscription").first()
    if row is None or row.customer_id not in locked:
        raise SubjectNotPaidFor(f"Nobody pays for the subject {subject} at {format_instant(effective_at)}.")
    customer = locked[customer.pk]
    checks.not_merged(customer)
    if (row.customer_id, row.subscription_id) == (customer.pk, subscription and subscription.pk):
        raise NothingChanges(f"{customer.key} pays for the subject {subject} already.")
    rest = DateTimeTZRange(effective_at, row.validity.upper)
    check_payer(customer, subject, rest, subscription)
    check_not_invoiced(row, effective_at)
    return continued(row, effective_at, customer, subscription)


def check_payer(
    customer: Customer, subject: str, validity: DateTimeTZRange, subscription: Subscription | None
) -> None:
    """Raises SubjectsNotAssigned or SubscriptionOfAnotherCustomer for who is to pay for the subject."""
    if subscription is None:
        checks.has_one_subscription(customer=customer, subject=subject, validity=validity)
    elif subscription.customer_id != customer.pk:
        raise SubscriptionOfAnotherCustomer(f"{subscription.key} is no subscription of {customer.key}.")


def check_not_invoiced(row: CustomerSubject, since: datetime) -> None:
    """Raises SubjectInvoicedOtherwise where who pays until now was invoiced for a later time already."""
    charged = ServicePeriod.objects.filter(
        part=ServicePeriod.Part.ARREARS, is_void=False, end_at__gt=since
    ).exclude(invoice__state=Invoice.State.DRAFT)
    if row.subscription_id is None:
        charged = charged.filter(subscription__customer=row.customer_id)
    else:
        charged = charged.filter(subscription=row.subscription_id)
    found = charged.select_related("invoice", "subscription").order_by("-end_at").first()
    if found is not None:
        raise SubjectInvoicedOtherwise(
            f"{row.subject} was charged to {found.subscription.key} until {format_instant(found.end_at)} "
            f"({found.invoice}): move it then or later, or void that invoice first."
        )


def continued(
    row: CustomerSubject, since: datetime, customer: Customer, subscription: Subscription | None
) -> CustomerSubject:
    """The row cut at the instant, and what follows it as another payer's."""
    rest = DateTimeTZRange(since, row.validity.upper)
    if row.validity.lower == since:
        row.customer, row.subscription = customer, subscription
        row.save(update_fields=["customer", "subscription"])
        return row
    row.validity = DateTimeTZRange(row.validity.lower, since)
    row.save(update_fields=["validity"])
    return _saved(customer, row.subject, rest, subscription)


def _saved(
    customer: Customer, subject: str, validity: DateTimeTZRange, subscription: Subscription | None
) -> CustomerSubject:
    try:
        with transaction.atomic():
            return CustomerSubject.objects.create(
                customer=customer, subject=subject, validity=validity, subscription=subscription
            )
    except IntegrityError as error:
        if checks.constraint(error) != "one_payer_per_subject_and_instant":
            raise
        raise SubjectAlreadyPaidFor(
            f"Somebody pays for the subject {subject} already at some time of that validity."
        ) from error


def _range(validity: Period | DateTimeTZRange) -> DateTimeTZRange:
    if isinstance(validity, Period):
        validity = DateTimeTZRange(validity.start, validity.end)
    has_time = validity.lower is not None and (validity.upper is None or validity.lower < validity.upper)
    if not has_time or validity.bounds != "[)":
        raise ValidityEmpty("A subject's validity needs a start, and an end (if any) after it.")
    return validity
