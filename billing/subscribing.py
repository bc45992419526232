"""Writes who is on which plan from when on, and who pays for which subject."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import versions
from billing.cycles import Cycle
from billing.documents import plan as plans
from billing.documents.nodes import PlanDocument
from billing.documents.prices import Catalogue, Dynamic, Percentage
from billing.models import (
    Customer,
    CustomerSubject,
    Plan,
    ServicePeriod,
    Subscription,
    SubscriptionPhase,
)
from metering import periods
from metering.documents import DocumentError
from metering.periods import Period

# Market prices are fixed when a plan is published; invoices do not know single events yet.
_NO_OVERRIDES = (Catalogue, Percentage, Dynamic)


class SubscriptionRefused(Exception):
    """A subscription or the assignment of a subject cannot be made; ``field`` names the argument at fault."""

    field = ""


class CurrencyDiffers(SubscriptionRefused):
    """The customer pays in another currency than the plan's."""

    field = "plan"


class SubscriptionEndsBeforeItsStart(SubscriptionRefused):
    """The end is not after the start."""

    field = "end_at"


class SubscriptionKeyTaken(SubscriptionRefused):
    """Another subscription has this key already."""

    field = "key"


class ValidityEmpty(SubscriptionRefused):
    """A subject would be paid for during no time at all, or from no instant on."""

    field = "validity"


class SubjectInvoicedOtherwise(SubscriptionRefused):
    """Another subscription was invoiced for the subject's usage in that time."""


class SubscriptionOfAnotherCustomer(SubscriptionRefused):
    """A subject cannot be charged to the subscription of somebody who does not pay for it."""

    field = "subscription"


class SubjectAlreadyPaidFor(SubscriptionRefused):
    """At some instant of the validity the subject has a payer already."""

    field = "subject"


class SubjectsNotAssigned(SubscriptionRefused):
    """Two subscriptions of a customer price a meter, and nobody said which one pays for a subject."""

    field = "subject"


@transaction.atomic
def subscribe(
    *,
    customer: Customer,
    plan: Plan,
    key: str,
    start_at: datetime,
    end_at: datetime | None = None,
    anchor_date: date | None = None,
    overrides: Mapping[str, Any] | None = None,
    at: datetime,
) -> Subscription:
    """A new subscription with one phase, due for its first invoice at the end of its first billing period.

    ``anchor_date``: the local date from which billing periods are counted; by default they are those of the
    calendar. ``overrides``: by component code, as in a plan's reference page. Raises a SubscriptionRefused,
    versions.PlanNotInForce, or DocumentError for overrides that do not fit the plan.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if end_at is not None and end_at <= start_at:
        raise SubscriptionEndsBeforeItsStart(
            f"The subscription {key} would end before it starts, or at once."
        )
    if customer.currency != plan.currency:
        raise CurrencyDiffers(
            f"{customer.key} pays in {customer.currency}, the plan {plan.code} is in {plan.currency}."
        )
    version = versions.in_force(versions=versions.of(plan), at=start_at)
    _check_overrides(versions.document(version), overrides or {})
    validity = DateTimeTZRange(start_at, end_at)
    _refuse_unassigned_subjects(customer, plan, key, validity)
    made = _saved(customer, plan, key, start_at, end_at, anchor_date, at)
    SubscriptionPhase.objects.create(
        subscription=made, plan=plan, validity=validity, overrides=dict(overrides or {})
    )
    return made


def _check_overrides(plan: PlanDocument, overrides: Mapping[str, Any]) -> None:
    """Raises DocumentError for overrides that do not fit, or whose price no invoice could use."""
    changed = plans.apply_overrides(plan, overrides)
    for component in changed.all_components():
        if isinstance(component.price, _NO_OVERRIDES) and "price" in overrides.get(component.code, {}):
            raise DocumentError(
                "invalid",
                f"{component.price.model} cannot be the price of a single subscription; write another model",
                f"overrides.{component.code}.price",
            )


def _saved(
    customer: Customer,
    plan: Plan,
    key: str,
    start_at: datetime,
    end_at: datetime | None,
    anchor_date: date | None,
    at: datetime,
) -> Subscription:
    first_day = start_at.astimezone(ZoneInfo(customer.timezone)).date()
    anchor = anchor_date or periods.calendar_anchor(first_day, plan.interval)
    first = Cycle(anchor, plan.interval, plan.interval_count, customer.timezone).holding(start_at)
    try:
        with transaction.atomic():
            return Subscription.objects.create(
                key=key,
                customer=customer,
                anchor_date=anchor,
                timezone=customer.timezone,
                start_at=start_at,
                end_at=end_at,
                next_billing_at=first.end if end_at is None else min(first.end, end_at),
                created_at=at,
            )
    except IntegrityError as error:
        if _constraint(error) != "billing_subscription_key_key":
            raise
        raise SubscriptionKeyTaken(f"There is a subscription with the key {key} already.") from error


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
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    stretch = _range(validity)
    if subscription is not None and subscription.customer_id != customer.pk:
        raise SubscriptionOfAnotherCustomer(f"{subscription.key} is no subscription of {customer.key}.")
    if subscription is None:
        _refuse_several_payers(customer, subject, stretch)
    try:
        with transaction.atomic():
            return CustomerSubject.objects.create(
                customer=customer, subject=subject, validity=stretch, subscription=subscription
            )
    except IntegrityError as error:
        if _constraint(error) != "one_payer_per_subject_and_instant":
            raise
        raise SubjectAlreadyPaidFor(
            f"Somebody pays for the subject {subject} already at some time of that validity."
        ) from error


@transaction.atomic
def charge_subject(*, customer_subject: CustomerSubject, subscription: Subscription) -> CustomerSubject:
    """Says which of the payer's subscriptions is charged for a subject that is assigned already.

    Raises `SubjectInvoicedOtherwise` where another subscription of the payer was invoiced for a part of the
    time: its usage would be billed twice.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_subject.customer_id)
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


def _refuse_unassigned_subjects(customer: Customer, plan: Plan, key: str, validity: DateTimeTZRange) -> None:
    """Raises SubjectsNotAssigned where a new subscription would make it unclear which one is charged."""
    meters = versions.meters(plan)
    for phase in _phases(customer, validity):
        shared = meters & versions.meters(phase.plan)
        unassigned = customer.subjects.filter(subscription=None, validity__overlap=validity)
        subject = unassigned.filter(validity__overlap=phase.validity).order_by("subject").first()
        if shared and subject is not None and _overlap(subject.validity, phase.validity, validity):
            raise SubjectsNotAssigned(
                f"{phase.subscription.key} and {key} would both price {', '.join(sorted(shared))}. "
                f"Say first which of them is charged for the subject {subject.subject}."
            )


def _refuse_several_payers(customer: Customer, subject: str, validity: DateTimeTZRange) -> None:
    """Raises SubjectsNotAssigned where two subscriptions of the validity's time price the same meter."""
    phases = _phases(customer, validity)
    for place, phase in enumerate(phases):
        for other in phases[:place]:
            shared = versions.meters(phase.plan) & versions.meters(other.plan)
            is_one = other.subscription_id == phase.subscription_id
            if shared and not is_one and _overlap(phase.validity, other.validity, validity):
                raise SubjectsNotAssigned(
                    f"{other.subscription.key} and {phase.subscription.key} both price "
                    f"{', '.join(sorted(shared))}: name the subscription that is charged for {subject}."
                )


def _phases(customer: Customer, validity: DateTimeTZRange) -> list[SubscriptionPhase]:
    phases = SubscriptionPhase.objects.filter(subscription__customer=customer, validity__overlap=validity)
    return list(phases.select_related("subscription", "plan").order_by("id"))


def _overlap(*ranges: DateTimeTZRange) -> bool:
    ends = [each.upper for each in ranges if each.upper is not None]
    return not ends or max(each.lower for each in ranges) < min(ends)


def _range(validity: Period | DateTimeTZRange) -> DateTimeTZRange:
    if isinstance(validity, Period):
        validity = DateTimeTZRange(validity.start, validity.end)
    has_time = validity.lower is not None and (validity.upper is None or validity.lower < validity.upper)
    if not has_time or validity.bounds != "[)":
        raise ValidityEmpty("A subject's validity needs a start, and an end (if any) after it.")
    return validity


def _constraint(error: IntegrityError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
