"""Plans, their versions, and what changes between them."""

from __future__ import annotations

from typing import Any

from billing.api.shapes.values import Document
from metering.api.shapes import Cursor, Instant, Shape


class Plan(Shape):
    """A named offer; its versions hold the prices. ``version``: the number of the last one published."""

    code: str
    name: str
    currency: str
    interval: str
    interval_count: int
    version: int
    created_at: Instant


class Plans(Shape):
    """Plans by code."""

    plans: list[Plan]
    next: Cursor | None


class Version(Shape):
    """A version of a plan, without its document. ``effective_at`` null: the beginning of time."""

    plan: str
    number: int
    currency: str
    effective_at: Instant | None
    migration: str
    published_at: Instant
    published_by: str


class Versions(Shape):
    """Versions of a plan, the latest first."""

    versions: list[Version]
    next: Cursor | None


class FullVersion(Version):
    """A version of a plan. ``document`` is as it was written.

    ``rated_document`` is what usage is rated by: the same, with fixed prices where it names market prices.
    ``price_sources`` says by component where those come from.
    """

    document: Document
    rated_document: Document
    price_sources: dict[str, Any]


class Applied(Shape):
    """What became of a plan document: created, published (a further version) or unchanged."""

    outcome: str
    version: FullVersion


class Change(Shape):
    """A difference of two plan documents. ``text`` says it in words.

    ``node`` is the code of the component or group, null for the plan itself. ``field`` names what changed,
    with what it was and what it becomes, null for none; ``currency`` stands where these are amounts.
    """

    kind: str
    node: str | None
    field: str | None
    old: Any
    new: Any
    currency: str | None
    text: str


class Difference(Shape):
    """What applying a document would do, or what one version changed against another."""

    plan: str
    outcome: str
    currency: str
    changes: list[Change]
