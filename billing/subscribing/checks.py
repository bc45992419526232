"""What must hold before something is agreed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing import versions
from billing.documents import plan as plans
from billing.documents import plan_checks
from billing.documents.nodes import PlanDocument
from billing.documents.prices import Catalogue
from billing.models import Customer, Invoice, Plan, ServicePeriod, Subscription, SubscriptionPhase
from billing.subscribing.refusals import (
    CurrencyDiffers,
    CustomerMerged,
    PeriodFinalized,
    SubjectsNotAssigned,
    SubscriptionEnded,
    SubscriptionNotBegun,
)
from metering import usage
from metering.documents import DocumentError
from metering.periods import format_instant

# After any instant at which a meter can begin to count.
_EVER = datetime.max.replace(tzinfo=UTC)


def not_merged(customer: Customer) -> None:
    """Raises CustomerMerged."""
    if customer.merged_into is not None:
        raise CustomerMerged(
            f"{customer.key} was merged into {customer.merged_into.key}: agree it with that customer."
        )


def can_be_on(
    *, customer: Customer, plan: Plan, overrides: Mapping[str, Any], validity: DateTimeTZRange
) -> None:
    """Raises CurrencyDiffers, versions.PlanNotInForce, or DocumentError for overrides that do not fit."""
    if customer.currency != plan.currency:
        raise CurrencyDiffers(
            f"{customer.key} pays in {customer.currency}, the plan {plan.code} is in {plan.currency}."
        )
    version = versions.in_force(versions=versions.of(plan), at=validity.lower)
    fitting(versions.document(version), overrides)


def fitting(plan: PlanDocument, overrides: Mapping[str, Any]) -> None:
    """Raises DocumentError for overrides that do not fit the plan or its meters, and for market prices.

    Those are fixed when a plan is published; a single subscription has no publishing.
    """
    if not overrides:
        return
    changed = plans.apply_overrides(plan, overrides)
    for component in changed.all_components():
        if isinstance(component.price, Catalogue) and "price" in overrides.get(component.code, {}):
            raise DocumentError(
                "invalid",
                f"{component.price.model} cannot be the price of a single subscription; write another model",
                f"overrides.{component.code}.price",
            )
    stored = usage.versions(at=_EVER, slugs=changed.meters(), is_archived_too=True)
    for component in changed.all_components():
        if component.code in overrides and component.meter in stored:
            definition = usage.definition(stored[component.meter])
            plan_checks.check_meter(component, definition, f"overrides.{component.code}")


def runs_at(subscription: Subscription, at: datetime) -> None:
    """Raises SubscriptionNotBegun and SubscriptionEnded."""
    if at < subscription.start_at:
        raise SubscriptionNotBegun(
            f"{subscription.key} starts only at {format_instant(subscription.start_at)}; "
            "let the change take effect then or later."
        )
    if subscription.end_at is not None and at >= subscription.end_at:
        raise SubscriptionEnded(f"{subscription.key} ends at {format_instant(subscription.end_at)}.")


def not_finalized(subscription: Subscription, since: datetime) -> None:
    """Raises PeriodFinalized where an invoice in arrears is finalized for a time after the instant."""
    standing = (
        ServicePeriod.objects.filter(
            subscription=subscription, part=ServicePeriod.Part.ARREARS, is_void=False, end_at__gt=since
        )
        .exclude(invoice__state=Invoice.State.DRAFT)
        .select_related("invoice")
        .order_by("-end_at")
        .first()
    )
    if standing is not None:
        raise PeriodFinalized(
            f"{subscription.key} is invoiced until {format_instant(standing.end_at)} ({standing.invoice}): "
            "let the change take effect then or later, or void that invoice first."
        )


def subjects_are_assigned(
    *, customer: Customer, plan: Plan, key: str, validity: DateTimeTZRange, subscription_id: int | None = None
) -> None:
    """Raises SubjectsNotAssigned where a subscription on the plan would leave it open which one is charged.

    ``subscription_id``: of the subscription itself, if it is there already.
    """
    meters = versions.meters(plan)
    for phase in phases_of(customer, validity):
        if phase.subscription_id == subscription_id:
            continue
        shared = meters & versions.meters(phase.plan)
        unassigned = customer.subjects.filter(subscription=None, validity__overlap=validity)
        subject = unassigned.filter(validity__overlap=phase.validity).order_by("subject").first()
        if shared and subject is not None and overlap(subject.validity, phase.validity, validity):
            raise SubjectsNotAssigned(
                f"{phase.subscription.key} and {key} would both price {', '.join(sorted(shared))}. "
                f"Say first which of them is charged for the subject {subject.subject}."
            )


def has_one_subscription(*, customer: Customer, subject: str, validity: DateTimeTZRange) -> None:
    """Raises SubjectsNotAssigned where two subscriptions of the validity's time price the same meter."""
    for other, phase in _pairs(phases_of(customer, validity)):
        shared = versions.meters(phase.plan) & versions.meters(other.plan)
        if shared and overlap(phase.validity, other.validity, validity):
            raise SubjectsNotAssigned(
                f"{other.subscription.key} and {phase.subscription.key} both price "
                f"{', '.join(sorted(shared))}: name the subscription that is charged for {subject}."
            )


def _pairs(phases: list[SubscriptionPhase]) -> Iterator[tuple[SubscriptionPhase, SubscriptionPhase]]:
    for place, phase in enumerate(phases):
        for other in phases[:place]:
            if other.subscription_id != phase.subscription_id:
                yield other, phase


def phases_of(customer: Customer, validity: DateTimeTZRange) -> list[SubscriptionPhase]:
    """The phases of the customer's subscriptions during the validity."""
    phases = SubscriptionPhase.objects.filter(subscription__customer=customer, validity__overlap=validity)
    return list(phases.select_related("subscription", "plan").order_by("id"))


def overlap(*ranges: DateTimeTZRange) -> bool:
    """Whether all the ranges share some time."""
    ends = [each.upper for each in ranges if each.upper is not None]
    return not ends or max(each.lower for each in ranges) < min(ends)


def constraint(error: IntegrityError) -> str | None:
    """The name of the constraint that a write violated."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
