"""Settles rejected events: replays them through the door's own code, or discards them."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from uuid import UUID

from metering import ingesting
from metering.door import reading, submissions
from metering.door.adapters import every
from metering.door.answers import Problem
from metering.models import EventKey, RejectedEvent

_HEADERS = {"content-type": "application/json"}


class ReplayRefused(Exception):
    """The event would be turned away again; the message says why. Nothing was changed."""


class AlreadySettled(Exception):
    """Somebody settled the event before. Nothing was changed."""


def replay(*, rejected: RejectedEvent, text: str, at: datetime, by: str) -> ingesting.Receipt:
    """Records ``text``, the event as it was or mended, as if its sender had sent it; returns the receipt.

    An event without a time happened when it was first turned away. One that was recorded meanwhile is a
    duplicate, which settles it too. One that was discarded may still be replayed.
    Opens its own transactions, and may be repeated after a crash between recording and marking.
    Raises `ReplayRefused`, `AlreadySettled`, `ingesting.RecordingUnavailable`.
    """
    if rejected.state == RejectedEvent.State.REPLAYED:
        raise AlreadySettled
    submission = _submission(rejected, text, at)
    _check(submission)
    [receipt] = ingesting.record([submission])
    if isinstance(receipt, ingesting.RecordingUnavailable):
        raise receipt
    if receipt.rejected:
        raise ReplayRefused(receipt.rejected[0].message)
    unsettled = RejectedEvent.objects.filter(pk=rejected.pk).exclude(state=RejectedEvent.State.REPLAYED)
    unsettled.update(
        state=RejectedEvent.State.REPLAYED,
        settled_at=at,
        settled_by=by,
        replayed_in_id=int(receipt.batch),
    )
    return receipt


def discard(*, rejected: RejectedEvent, at: datetime, by: str) -> None:
    """Marks an event as one that shall not be counted. It is kept. Raises `AlreadySettled`."""
    unsettled = RejectedEvent.objects.filter(pk=rejected.pk, state=RejectedEvent.State.OPEN)
    if not unsettled.update(state=RejectedEvent.State.DISCARDED, settled_at=at, settled_by=by):
        raise AlreadySettled


def _submission(rejected: RejectedEvent, text: str, at: datetime) -> ingesting.Submission:
    body = text.encode(errors="replace")
    try:
        read = reading.read(headers=_HEADERS, body=body, formats=every.FORMATS)
    except Problem as problem:
        raise ReplayRefused(problem.detail) from None
    if len(read.events) != 1:
        raise ReplayRefused(f"there are {len(read.events):,} events in it; replay one at a time")
    [event] = read.events
    is_timeless = isinstance(event, ingesting.Draft) and event.time is None
    submission = submissions.of(
        read=read,
        sender=ingesting.Sender(api_key_id=rejected.api_key_id, webhook_source_id=rejected.webhook_source_id),
        body=body,
        received_at=rejected.first_at if is_timeless else at,
        judge=ingesting.load().judge,
    )
    return dataclasses.replace(submission, received_at=at)


def _check(submission: ingesting.Submission) -> None:
    """Finds out beforehand what recording would refuse: that would be kept as yet another rejected event."""
    if submission.refusals:
        raise ReplayRefused(submission.refusals[0].message)
    [fact] = submission.facts
    standing = EventKey.objects.filter(pk=UUID(bytes=fact.key)).first()
    if standing is None and fact.unmeterable is not None:
        raise ReplayRefused(fact.unmeterable)
    if standing is not None and standing.content.bytes != fact.content:
        raise ReplayRefused(
            "an event with this source and id was recorded with other content, and that one stands; "
            "give this one an id of its own, or discard it"
        )
