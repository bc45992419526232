"""Invoice runs."""

from __future__ import annotations

from metering.api.shapes import Cursor, Instant, Shape


class InvoiceRun(Shape):
    """What a run has done so far.

    ``due``: the customers of whom something was due when it started. ``finalized``, ``drafted`` (they wait
    for the end of their grace) and ``blocked`` count invoices, ``failed`` customers.
    """

    id: int
    state: str
    as_of: Instant
    started_at: Instant
    started_by: str
    ended_at: Instant | None
    stopped_reason: str
    due: int
    finalized: int
    drafted: int
    blocked: int
    failed: int


class InvoiceRuns(Shape):
    """Runs, the latest first."""

    invoice_runs: list[InvoiceRun]
    next: Cursor | None


class StartedRun(Shape):
    """The run that is under way now; null where nothing is due."""

    invoice_run: InvoiceRun | None


class RunFailure(Shape):
    """What a run tried and left. ``invoice``: the id of the draft that is blocked; null for a failure."""

    customer: str
    invoice: int | None
    what: str
    reason: str
    failed_at: Instant


class RunFailures(Shape):
    """What a run could not do, in the order in which it was tried."""

    failures: list[RunFailure]
    next: Cursor | None
