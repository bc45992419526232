"""Customers, the subjects they pay for, and their subscriptions."""

from __future__ import annotations

from typing import Any

from billing.api.shapes.values import Date
from metering.api.shapes import Cursor, Instant, Shape


class Customer(Shape):
    """Somebody who is invoiced. ``key`` is the seller's own name for them.

    ``grace_hours`` and ``due_days`` are null where the seller's hold. ``merged_into``: the key of who took
    over everything of theirs.
    """

    key: str
    name: str
    legal_name: str
    tax_id: str
    address: str
    email: str
    currency: str
    timezone: str
    locale: str
    grace_hours: int | None
    due_days: int | None
    merged_into: str | None
    created_at: Instant


class Customers(Shape):
    """Customers by key."""

    customers: list[Customer]
    next: Cursor | None


class Subject(Shape):
    """That the customer pays for a subject's usage in [start_at, end_at), or without an end.

    ``subscription``: the key of the one that is charged; null: the customer's only one that prices the meter.
    """

    id: int
    subject: str
    start_at: Instant
    end_at: Instant | None
    subscription: str | None


class Subjects(Shape):
    """Subjects of a customer, in the order in which they were assigned."""

    subjects: list[Subject]
    next: Cursor | None


class Phase(Shape):
    """A stretch [start_at, end_at) of a subscription on one plan, with the values that replace the plan's."""

    plan: str
    start_at: Instant
    end_at: Instant | None
    overrides: dict[str, Any]


class Pause(Shape):
    """A stretch [start_at, end_at) in which a subscription rests. ``end_at`` null: until it is resumed."""

    start_at: Instant
    end_at: Instant | None


class Subscription(Shape):
    """A customer's contract in [start_at, end_at), and its phases and pauses in the order of time.

    ``next_billing_at``: the end of the first period that is not invoiced yet; null: nothing more will be due.
    """

    key: str
    customer: str
    currency: str
    timezone: str
    anchor_date: Date
    start_at: Instant
    end_at: Instant | None
    trial_end_at: Instant | None
    next_billing_at: Instant | None
    created_at: Instant
    phases: list[Phase]
    pauses: list[Pause]


class Subscriptions(Shape):
    """Subscriptions by key."""

    subscriptions: list[Subscription]
    next: Cursor | None
