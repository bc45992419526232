"""Answers who changed what of a plan, a customer or a subscription, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model

from billing.models import (
    Customer,
    CustomerHistory,
    CustomerSubjectHistory,
    Plan,
    PlanHistory,
    PlanVersionHistory,
    Subscription,
    SubscriptionHistory,
    SubscriptionPauseHistory,
    SubscriptionPhaseHistory,
)

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
_KINDS = {"insert": ADDED, "update": CHANGED, "delete": REMOVED}
# What stands in a history by its number, and how people call it.
_NAMES: dict[str, tuple[type[Model], str]] = {
    "customer_id": (Customer, "key"),
    "merged_into_id": (Customer, "key"),
    "plan_id": (Plan, "code"),
    "subscription_id": (Subscription, "key"),
}
_HIDDEN = frozenset({"id", "created_at"})


class _Source(NamedTuple):
    """A table of history: what its rows are called, and the column that says whose they are."""

    what: str
    model: type[Model]
    owner: str
    has_validity: bool = False


_OF_PLAN = (_Source("plan", PlanHistory, "pgh_obj_id"), _Source("version", PlanVersionHistory, "plan_id"))
_OF_CUSTOMER = (
    _Source("customer", CustomerHistory, "pgh_obj_id"),
    _Source("subject", CustomerSubjectHistory, "customer_id", has_validity=True),
)
_OF_SUBSCRIPTION = (
    _Source("subscription", SubscriptionHistory, "pgh_obj_id"),
    _Source("phase", SubscriptionPhaseHistory, "subscription_id", has_validity=True),
    _Source("pause", SubscriptionPauseHistory, "subscription_id", has_validity=True),
)


class Place(NamedTuple):
    """Where a change stands in the order of a history."""

    at: datetime
    source: int
    id: int


@dataclass(frozen=True)
class Change:
    """What was done to one thing. ``by`` is empty where nobody did it by name, such as a job of the product.

    ``values``: what it was and what it is by field, JSON-ready; None stands for none.
    """

    place: Place
    by: str
    through: str
    what: str
    kind: str
    values: Mapping[str, tuple[Any, Any]]


def of_plan(*, plan: Plan, after: Place | None = None, limit: int) -> list[Change]:
    """At most ``limit`` changes of the plan and its versions behind ``after``, the latest first."""
    return _of(_OF_PLAN, plan.pk, after, limit)


def of_customer(*, customer: Customer, after: Place | None = None, limit: int) -> list[Change]:
    """At most ``limit`` changes of the customer and its subjects behind ``after``, the latest first."""
    return _of(_OF_CUSTOMER, customer.pk, after, limit)


def of_subscription(*, subscription: Subscription, after: Place | None = None, limit: int) -> list[Change]:
    """At most ``limit`` changes of the subscription, its phases and pauses behind ``after``, likewise."""
    return _of(_OF_SUBSCRIPTION, subscription.pk, after, limit)


def _of(sources: Sequence[_Source], owner_id: int, after: Place | None, limit: int) -> list[Change]:
    united = " union all ".join(_select(place, source) for place, source in enumerate(sources))
    behind = "where (at, source, id) < (%s, %s, %s)" if after else ""
    query = f"select * from ({united}) changes {behind} order by at desc, source desc, id desc limit %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, [*[owner_id] * len(sources), *(after or ()), limit])
        rows = cursor.fetchall()
    snapshots = [each for row in rows for each in row[5:] if each is not None]
    names = {column: _named(column, snapshots) for column in _NAMES}
    return [_change(sources, names, *row) for row in rows]


def _select(place: int, source: _Source) -> str:
    """The rows of a table, each with the one before it of the same thing."""
    table, more = source.model._meta.db_table, ""
    if source.has_validity:
        more = (
            " - 'validity' || jsonb_build_object('start_at', lower(h.validity), 'end_at', upper(h.validity))"
        )
    snapshot = f"to_jsonb(h){more}"
    return (
        f"select h.pgh_created_at as at, {place} as source, h.pgh_id as id, h.pgh_label, h.pgh_context, "  # noqa: S608
        f"{snapshot}, lag({snapshot}) over (partition by h.pgh_obj_id order by h.pgh_id) "
        f"from {table} h where h.{source.owner} = %s"
    )


def _change(
    sources: Sequence[_Source],
    names: Mapping[str, Mapping[int, str]],
    at: datetime,
    source: int,
    id: int,
    label: str,
    context: Any,
    after: Any,
    before: Any,
) -> Change:
    told = _read(context) or {}
    kind = _KINDS[label]
    was, became = _values(_read(before) or {}, names), _values(_read(after), names)
    if kind == REMOVED:
        was, became = became, {}
    values = {
        name: (was.get(name), became.get(name))
        for name in {**became, **was}
        if was.get(name) != became.get(name)
    }
    by, through = told.get("by", ""), told.get("through", "")
    return Change(Place(at, source, id), by, through, sources[source].what, kind, values)


def _values(snapshot: Mapping[str, Any], names: Mapping[str, Mapping[int, str]]) -> dict[str, Any]:
    """What a snapshot says of the thing itself, with names in place of numbers."""
    found = {}
    for column, value in snapshot.items():
        if column in _NAMES:
            found[column.removesuffix("_id")] = names[column].get(value)
        elif column not in _HIDDEN and not column.startswith("pgh_"):
            found[column] = value
    return found


def _named(column: str, snapshots: Sequence[Any]) -> dict[int, str]:
    model, name = _NAMES[column]
    ids = {_read(each).get(column) for each in snapshots} - {None}
    return dict(model._default_manager.filter(pk__in=ids).values_list("pk", name))


def _read(value: Any) -> Any:
    """JSON as Python has it, whether the driver has read it or not."""
    return json.loads(value) if isinstance(value, str) else value
