"""What was read becomes what is recorded: each event screened, good ones beside bad ones."""

from __future__ import annotations

import hashlib
from datetime import datetime

from metering import ingesting
from metering.door import reading


def of(
    *,
    read: reading.Reading,
    sender: ingesting.Sender,
    body: bytes,
    received_at: datetime,
    judge: ingesting.Judge,
) -> ingesting.Submission:
    """The submission of a decompressed body that was read. Everything that is recorded comes through here."""
    facts, refusals = [], []
    screening = ingesting.Screening(received_at=received_at, judge=judge)
    for index, event in enumerate(read.events):
        if isinstance(event, ingesting.Draft):
            screened = screening.screened(index, event)
        else:
            screened = ingesting.refuse_text(
                index=index, text=event.text, kept=event.kept, message=event.message
            )
        if isinstance(screened, ingesting.Fact):
            facts.append(screened)
        else:
            refusals.append(screened)
    return ingesting.Submission(
        sender=sender,
        sha256=hashlib.sha256(body).hexdigest(),
        received_at=received_at,
        facts=tuple(facts),
        refusals=tuple(refusals),
    )
