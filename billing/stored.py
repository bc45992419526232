"""The published plans and meters that a quote may name instead of bringing them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime

from django.db import ProgrammingError

from billing import versions
from billing.documents.nodes import PlanDocument
from billing.models import PlanVersion
from metering import usage
from metering.documents.meter import MeterDefinition


def plan(*, code: str, number: int | None, at: datetime) -> PlanDocument | None:
    """The version of this number, without a number the one in force at the instant; None if there is none."""
    with _none_where_nothing_was_ever_stored():
        found = PlanVersion.objects.filter(plan__code=code).order_by("number")
        if number is not None:
            version = found.filter(number=number).first()
            return versions.document(version) if version else None
        try:
            return versions.document(versions.in_force(versions=list(found), at=at))
        except versions.PlanNotInForce:
            return None
    return None


def meters(*, slugs: frozenset[str], at: datetime) -> Mapping[str, MeterDefinition]:
    """The meters of these slugs that count at the instant, archived ones too."""
    with _none_where_nothing_was_ever_stored():
        found = usage.versions(at=at, slugs=slugs, is_archived_too=True)
        return {slug: usage.definition(version) for slug, version in found.items()}
    return {}


def _none_where_nothing_was_ever_stored() -> AbstractContextManager[None]:
    """A database that was never migrated has neither plans nor meters: that is an answer, not a fault."""
    return suppress(ProgrammingError)
