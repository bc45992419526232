"""Answers what a request would cost, with stored plans and meters where it brings none of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import Any

from django.db import ProgrammingError

from billing import versions
from billing.documents.nodes import PlanDocument
from billing.models import PlanVersion
from billing.rating import quoting
from metering import usage
from metering.documents.meter import MeterDefinition


def answer(*, request: Any, at: datetime) -> dict[str, Any]:
    """The answer to a quote request, JSON-ready. ``at``: when stored plans and meters are in force.

    The database is asked only for what the request names and does not bring. Raises DocumentError.
    """

    def stored_plan(code: str, number: int | None) -> PlanDocument | None:
        with _none_where_nothing_was_ever_stored():
            return _plan(code, number, at)
        return None

    def stored_meters(slugs: frozenset[str]) -> Mapping[str, MeterDefinition]:
        with _none_where_nothing_was_ever_stored():
            found = usage.versions(at=at, slugs=slugs)
            return {slug: usage.definition(version) for slug, version in found.items()}
        return {}

    return quoting.quote(request, stored_plan=stored_plan, stored_meters=stored_meters)


def _plan(code: str, number: int | None, at: datetime) -> PlanDocument | None:
    found = PlanVersion.objects.filter(plan__code=code).order_by("number")
    if number is not None:
        found = found.filter(number=number)
        return versions.document(found[0]) if found else None
    try:
        return versions.document(versions.in_force(versions=list(found), at=at))
    except versions.PlanNotInForce:
        return None


def _none_where_nothing_was_ever_stored() -> AbstractContextManager[None]:
    """A database that was never migrated has neither plans nor meters: that is an answer, not a fault."""
    return suppress(ProgrammingError)
