"""What most formats have in common: our own answer, and nothing to keep secret."""

from __future__ import annotations

from datetime import datetime

import msgspec

from metering import ingesting
from metering.door.formats.members import Members


def answer(
    receipt: ingesting.Receipt, drafts: list[ingesting.Draft | None], is_batch: bool, at: datetime
) -> object:
    """The receipt as it is: batch, sha256, accepted, duplicates, rejected."""
    return receipt


def keepable(members: Members) -> bytes:
    """All of an event that cannot be read, as JSON text."""
    return msgspec.json.encode(members)
