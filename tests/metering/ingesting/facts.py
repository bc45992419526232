"""Events for the tests of recording, and the senders they come from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from metering import ingesting, issuing

AT = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)


def draft(id: str = "1", **members: object) -> ingesting.Draft:
    """An event that is right in every respect, but for what is given."""
    usual = {"source": "gateway", "type": "llm.call", "subject": "acme", "time": "2026-10-05T11:00:00Z"}
    return ingesting.Draft(**({"id": id, "data": b'{"input_tokens": 12}'} | usual | members))


def screened(
    *drafts: ingesting.Draft, at: datetime = AT, judge: ingesting.Judge = lambda *_: None
) -> list[ingesting.Fact | ingesting.Refusal]:
    return [
        ingesting.screen(index=index, draft=each, received_at=at, judge=judge)
        for index, each in enumerate(drafts)
    ]


def submission(
    sender: ingesting.Sender,
    drafts: Iterable[ingesting.Draft],
    *,
    at: datetime = AT,
    judge: ingesting.Judge = lambda *_: None,
) -> ingesting.Submission:
    events = screened(*drafts, at=at, judge=judge)
    return ingesting.Submission(
        sender=sender,
        sha256="ab" * 32,
        received_at=at,
        facts=tuple(each for each in events if isinstance(each, ingesting.Fact)),
        refusals=tuple(each for each in events if isinstance(each, ingesting.Refusal)),
    )


def new_sender(name: str = "gateway") -> ingesting.Sender:
    key, _ = issuing.issue_api_key(name=name, scopes=["ingest"], at=AT)
    return ingesting.Sender(api_key_id=key.pk)


def summary(receipt: object) -> tuple[int, int, list[tuple[int, str]]]:
    """(accepted, duplicates, [(index, code) of the rejected])"""
    assert isinstance(receipt, ingesting.Receipt), receipt
    return receipt.accepted, receipt.duplicates, [(each.index, str(each.code)) for each in receipt.rejected]
