"""What goes into a commit and what comes out: requests of screened events, and their receipts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from metering.ingesting import rows
from metering.ingesting.screening import Fact, Refusal


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent: exactly one of the two."""

    api_key_id: int | None = None
    webhook_source_id: int | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """The events of one request. ``sha256``: of its decompressed body, in hexadecimal.

    ``rows`` are those of the facts that are to be stored: all that some meter can use.
    """

    sender: Sender
    sha256: str
    received_at: datetime
    facts: tuple[Fact, ...]
    refusals: tuple[Refusal, ...]
    rows: rows.Rows = field(init=False, repr=False)

    def __post_init__(self) -> None:
        usable = [fact for fact in self.facts if fact.unmeterable is None]
        object.__setattr__(self, "rows", rows.of(usable))

    @property
    def size(self) -> int:
        """The number of events that were received."""
        return len(self.facts) + len(self.refusals)


@dataclass(frozen=True, slots=True)
class Rejection:
    """One event that was turned away: its place in the request, its id ("" if unknown), the reason."""

    index: int
    id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one request. The three counts add up to the events received."""

    batch: str
    sha256: str
    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...] = field(default=())
