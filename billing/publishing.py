"""Writes plans: a document becomes a version that nobody changes any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from billing import differences, market, versions
from billing.differences import Change
from billing.documents import plan as plans
from billing.documents import plan_checks
from billing.documents.nodes import Component, PlanDocument
from billing.models import Invoice, Plan, PlanVersion, ServicePeriod, SubscriptionPhase
from metering import periods, usage
from metering.documents import DocumentError, load_text
from metering.documents.meter import MeterDefinition

CREATED, PUBLISHED, UNCHANGED = "created", "published", "unchanged"
# Neither is part of what is sold: they say when, and for whom, this version counts.
_WHEN = ("effective_at", "migration")
_FIXED = ("currency", "interval", "interval_count")


class PublishingRefused(DocumentError):
    """A valid plan document that cannot be published; ``field`` is the place in it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__("invalid", message, field)


class MeterUnknown(PublishingRefused):
    """A component prices a meter that is not stored."""


class PlanFixed(PublishingRefused):
    """A version cannot have another currency or billing interval: that would be another plan."""


class VersionsOutOfOrder(PublishingRefused):
    """A version must take effect after the one before it."""


class VersionAlreadyPublished(PublishingRefused):
    """The same prices are published with another effective instant or migration, which stand for ever."""


class PeriodsAlreadyInvoiced(PublishingRefused):
    """The version would change the prices of a period that has a finalized invoice."""


class OverridesDoNotFit(PublishingRefused):
    """A subscription that would move to the version has overrides that it cannot have there."""


@dataclass(frozen=True)
class Applied:
    """What became of a plan document: the outcome is created, published or unchanged."""

    code: str
    outcome: str
    version: PlanVersion


@dataclass(frozen=True)
class Difference:
    """What applying a plan document would do; the outcome is that of `Applied`."""

    plan: PlanDocument
    outcome: str
    changes: list[Change]


@transaction.atomic
def apply_text(*, text: str, name: str, at: datetime, by: str = "") -> list[Applied]:
    """What became of each plan of a YAML or JSON text, which holds one or a list; all of them or none.

    ``name``: of the file, for its ending and for messages. Raises DocumentError.
    """
    return [
        apply(document=document, at=at, by=by, path=path)
        for document, path in documents(text=text, name=name)
    ]


def documents(*, text: str, name: str) -> list[tuple[Any, str]]:
    """The plan documents of a YAML or JSON text, each with the path that messages name it by."""
    loaded = load_text(text, name)
    if isinstance(loaded, list):
        return [(document, f"plans[{place}]") for place, document in enumerate(loaded)]
    return [(loaded, "plan")]


@transaction.atomic
def apply(*, document: Any, at: datetime, by: str = "", path: str = "plan") -> Applied:
    """The plan of the document, made or given a new version where what is sold has changed.

    Documents are compared as written, numbers by value. A first version counts from the beginning of time, a
    later one from ``at``, unless ``effective_at`` says otherwise. Market prices are fixed as they are at
    ``at``, unless the document names an instant, and stay so until another version is published. Raises
    DocumentError.
    """
    parsed = plans.parse(document, path)
    meters = check(parsed=parsed, at=at, path=path)
    plan, _is_new = Plan.objects.get_or_create(
        code=parsed.code,
        defaults={"name": parsed.name, "created_at": at} | {key: getattr(parsed, key) for key in _FIXED},
    )
    plan = Plan.objects.select_for_update().get(pk=plan.pk)
    last = versions.of(plan)[-1:]
    if last and _sold(last[0].document) == _sold(document):
        _check_when_is_unchanged(last[0], parsed, document, path)
        return Applied(plan.code, UNCHANGED, last[0])
    effective_at = parsed.effective_at or (at if last else None)
    if last:
        _check_successor(plan, last[0], parsed, effective_at, path)
    resolution = market.resolved_document(document, meters, at, path)
    version = _saved(plan, parsed, document, resolution, effective_at, at, by)
    return Applied(plan.code, PUBLISHED if last else CREATED, version)


def difference(*, document: Any, at: datetime, path: str = "plan") -> Difference:
    """What `apply` would do, and each change in words and amounts. Raises DocumentError."""
    parsed = plans.parse(document, path)
    market.resolve(parsed, check(parsed=parsed, at=at, path=path), at, path)
    last = PlanVersion.objects.filter(plan__code=parsed.code).order_by("-number").first()
    if last is None:
        text = f"new plan with {', '.join(node.code for node in parsed.nodes())}"
        return Difference(parsed, CREATED, [Change(differences.ADDED, None, text)])
    changes = differences.of(old=_sold(last.document), new=_sold(document))
    return Difference(parsed, PUBLISHED if changes else UNCHANGED, changes)


def changes_between(*, old: PlanVersion, new: PlanVersion) -> list[Change]:
    """What a version changes against another one of its plan, in words and amounts."""
    return differences.of(old=_sold(old.document), new=_sold(new.document))


def check(*, parsed: PlanDocument, at: datetime, path: str = "plan") -> dict[str, MeterDefinition]:
    """The meters that the plan prices, by slug.

    Raises DocumentError for an unknown meter and for what a meter cannot give.
    """
    found = usage.versions(at=at, slugs=parsed.meters())
    stored = {slug: usage.definition(version) for slug, version in found.items()}
    for node, place, _in_choice in plan_checks.placed(parsed.components, path):
        if not isinstance(node, Component):
            continue
        if node.meter is not None and node.meter not in stored:
            raise MeterUnknown(f"there is no meter {node.meter}; apply its document first", f"{place}.meter")
    plan_checks.check_meters(parsed, stored, path)
    plan_checks.check_dimensions(parsed, stored, path)
    return stored


def _sold(document: Mapping[str, Any]) -> dict[str, Any]:
    canonical = plans.canonical(document)
    return {key: value for key, value in canonical.items() if key not in _WHEN}


def _check_when_is_unchanged(last: PlanVersion, parsed: PlanDocument, document: Any, path: str) -> None:
    for key in _WHEN:
        if document.get(key) is not None and getattr(parsed, key) != getattr(last, key):
            raise VersionAlreadyPublished(
                f"version {last.number} has these prices already, with {key} {_written(getattr(last, key))}; "
                "it can be followed by another version, not moved",
                f"{path}.{key}",
            )


def _check_successor(
    plan: Plan, last: PlanVersion, parsed: PlanDocument, effective_at: datetime, path: str
) -> None:
    for key in _FIXED:
        if getattr(plan, key) != getattr(parsed, key):
            raise PlanFixed(
                f"the plan has {getattr(plan, key)}; publish another plan instead", f"{path}.{key}"
            )
    if effective_at <= versions.effective_from(last):
        raise VersionsOutOfOrder(
            f"version {last.number} takes effect at {_written(last.effective_at)}; this one must follow it",
            f"{path}.effective_at",
        )
    invoiced = _invoiced(plan, parsed.migration, effective_at)
    if invoiced is not None:
        raise PeriodsAlreadyInvoiced(
            f"the invoice {invoiced.invoice} bills a period that this version would change; "
            "let it take effect after that period, or for later periods only",
            f"{path}.effective_at",
        )
    _check_overrides(plan, parsed, effective_at, path)


def _invoiced(plan: Plan, migration: str, effective_at: datetime) -> ServicePeriod | None:
    """A finalized period that would have other prices if the version took effect at the instant."""
    # What was invoiced in advance is settled in arrears, at whatever prices hold by then.
    periods_of_plan = ServicePeriod.objects.filter(
        part=ServicePeriod.Part.ARREARS,
        is_void=False,
        invoice__state__in=[Invoice.State.FINALIZED, Invoice.State.PAID],
        subscription__phases__plan=plan,
    ).select_related("invoice")
    if migration == PlanVersion.Migration.AT_ONCE:
        return periods_of_plan.filter(end_at__gt=effective_at).first()
    if migration == PlanVersion.Migration.NEVER:
        periods_of_plan = periods_of_plan.filter(subscription__phases__validity__startswith__gte=effective_at)
    return periods_of_plan.filter(start_at__gte=effective_at).first()


def _check_overrides(plan: Plan, parsed: PlanDocument, effective_at: datetime, path: str) -> None:
    phases = SubscriptionPhase.objects.filter(
        plan=plan, validity__upper_inf=True
    ) | SubscriptionPhase.objects.filter(plan=plan, validity__endswith__gt=effective_at)
    if parsed.migration == PlanVersion.Migration.NEVER:
        phases = phases.filter(validity__startswith__gte=effective_at)
    for phase in phases.exclude(overrides={}).select_related("subscription"):
        try:
            plans.apply_overrides(parsed, phase.overrides)
        except DocumentError as error:
            raise OverridesDoNotFit(
                f"the subscription {phase.subscription.key} has {error}; change that first",
                f"{path}.components",
            ) from error


def _saved(
    plan: Plan,
    parsed: PlanDocument,
    document: Any,
    resolution: market.Resolution,
    effective_at: datetime | None,
    at: datetime,
    by: str,
) -> PlanVersion:
    Plan.objects.filter(pk=plan.pk).update(name=parsed.name)
    return PlanVersion.objects.create(
        plan=plan,
        number=plan.versions.count() + 1,
        document=document,
        resolved_document=resolution.document if resolution.sources else None,
        price_sources=resolution.sources or None,
        effective_at=effective_at,
        migration=parsed.migration,
        published_at=at,
        published_by=by,
    )


def _written(value: datetime | str | None) -> str:
    if isinstance(value, datetime):
        return periods.format_instant(value)
    return value or "the beginning of time"
