"""Records the requests of many senders in one commit, each event once for ever, each with a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

import psycopg
from django.db import Error, transaction

from metering import periods
from metering.ingesting import storing
from metering.ingesting.screening import Fact, Refusal, refuse_fact
from metering.ingesting.submissions import Receipt, Rejection, Submission
from metering.models import EventBatch, RejectedEvent, partitions

ATTEMPTS_MAX = 5
_DAY = timedelta(days=1) // periods.MICROSECOND
_FIRST_DAY = date(1970, 1, 1)
_CONFLICT = (
    "an event with this source and id was recorded before with other content, and that one stands; "
    "give a different event an id of its own"
)


class RecordingUnavailable(Exception):
    """The database could not record the request now: all of it or nothing is recorded. Send it again."""


class _DataRefused(Exception):
    """PostgreSQL refused what one of the events holds."""


def record(submissions: Sequence[Submission]) -> list[Receipt | RecordingUnavailable]:
    """What became of each submission, in order, after it is durable: all of them in one transaction.

    Where PostgreSQL refuses what an event holds, the submissions are recorded one by one, and in the one at
    fault the event is found and turned away as ``invalid``: one poisonous event costs nobody else anything.
    Deadlocks are repeated up to 5 times. Opens its own transactions; call it outside of one.

    Raises `RecordingUnavailable` when the database is away.
    """
    try:
        return list(_record(submissions))
    except (_DataRefused, partitions.PartitionUnavailable):
        return [_record_alone(submission) for submission in submissions]


def _record_alone(submission: Submission) -> Receipt | RecordingUnavailable:
    try:
        try:
            return _record([submission])[0]
        except _DataRefused:
            return _record([_without_culprits(submission)])[0]
    except partitions.PartitionUnavailable as error:
        return RecordingUnavailable(str(error))
    except (_DataRefused, RecordingUnavailable) as error:
        return RecordingUnavailable(f"the events could not be recorded: {error}")


def _record(submissions: Sequence[Submission]) -> list[Receipt]:
    days = {fact.time // _DAY for submission in submissions for fact in submission.facts}
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            partitions.ensure([_FIRST_DAY + timedelta(days=day) for day in days])
            with transaction.atomic():
                return _write(submissions)
        except Error as error:
            state = _sqlstate(error)
            if state[:2] in ("22", "23"):
                partitions.forget()  # a month that is missing after all would be refused in the same way
                raise _DataRefused(_reason(error)) from error
            if state not in ("40P01", "40001") or attempt == ATTEMPTS_MAX:
                raise RecordingUnavailable(str(error)) from error
    raise AssertionError("the last attempt returns or raises")


def _write(submissions: Sequence[Submission]) -> list[Receipt]:
    senders = list(dict.fromkeys(submission.sender for submission in submissions))
    batch_ids = dict(zip(senders, storing.batch_ids(len(senders)), strict=True))
    first: dict[bytes, tuple[Fact, int]] = {}
    unmeterable: set[bytes] = set()
    for submission in submissions:
        batch_id = batch_ids[submission.sender]
        for fact in submission.facts:
            if fact.unmeterable is None:
                first.setdefault(fact.key, (fact, batch_id))
            else:
                unmeterable.add(fact.key)
    present = storing.store([first[key] for key in sorted(first)])
    standing = storing.standing(present | (unmeterable - first.keys()))
    new = {key: fact for key, (fact, _) in first.items() if key not in present}
    outcomes = [_outcome(submission, new, standing) for submission in submissions]
    turned = []
    for sender, batch_id in batch_ids.items():
        of_sender = [
            (submission, outcome)
            for submission, outcome in zip(submissions, outcomes, strict=True)
            if submission.sender == sender
        ]
        _write_batch(batch_id, of_sender)
        turned += [
            storing.Turned(refusal, batch_id, sender, submission.received_at)
            for submission, outcome in of_sender
            for refusal in outcome.refusals
        ]
    storing.refuse(turned)
    return [
        _receipt(submission, outcome, batch_ids[submission.sender])
        for submission, outcome in zip(submissions, outcomes, strict=True)
    ]


class _Outcome(NamedTuple):
    accepted: list[Fact]
    duplicates: int
    refusals: list[Refusal]


def _outcome(submission: Submission, new: Mapping[bytes, Fact], standing: Mapping[bytes, bytes]) -> _Outcome:
    """``new``: the facts of this commit that took their keys; ``standing``: the contents stored before it."""
    accepted, duplicates, refusals = [], 0, list(submission.refusals)
    for fact in submission.facts:
        stood = new.get(fact.key)
        if stood is fact:
            accepted.append(fact)
            continue
        content = standing.get(fact.key) if stood is None else stood.content
        if content == fact.content:
            duplicates += 1
        elif fact.unmeterable is not None:
            code = RejectedEvent.Code.UNMETERABLE
            refusals.append(refuse_fact(fact=fact, code=code, message=fact.unmeterable))
        else:
            refusals.append(refuse_fact(fact=fact, code=RejectedEvent.Code.CONFLICT, message=_CONFLICT))
    assert len(accepted) + duplicates + len(refusals) == submission.size, "every event has one outcome"
    return _Outcome(accepted, duplicates, sorted(refusals, key=lambda refusal: refusal.index))


def _write_batch(batch_id: int, of_sender: Sequence[tuple[Submission, _Outcome]]) -> None:
    requests, offset = [], 0
    for submission, _ in of_sender:
        requests.append({"sha256": submission.sha256, "events": submission.size, "offset": offset})
        offset += submission.size
    times = [fact.time for _, outcome in of_sender for fact in outcome.accepted]
    sender = of_sender[0][0].sender
    EventBatch.objects.bulk_create(
        [
            EventBatch(
                pk=batch_id,
                api_key_id=sender.api_key_id,
                webhook_source_id=sender.webhook_source_id,
                received_at=min(submission.received_at for submission, _ in of_sender),
                accepted=len(times),
                duplicates=sum(outcome.duplicates for _, outcome in of_sender),
                rejected=sum(len(outcome.refusals) for _, outcome in of_sender),
                requests=requests,
                time_min=_instant(min(times)) if times else None,
                time_max=_instant(max(times)) if times else None,
            )
        ]
    )


def _receipt(submission: Submission, outcome: _Outcome, batch_id: int) -> Receipt:
    return Receipt(
        batch=str(batch_id),
        sha256=submission.sha256,
        accepted=len(outcome.accepted),
        duplicates=outcome.duplicates,
        rejected=tuple(
            Rejection(refusal.index, refusal.id, refusal.code, refusal.message)
            for refusal in outcome.refusals
        ),
    )


def _without_culprits(submission: Submission) -> Submission:
    """The submission with the facts that PostgreSQL refuses turned into refusals.

    They are found by halving: each half is stored and rolled back.
    """
    reasons: dict[int, str] = {}
    parts = [list({fact.key: fact for fact in reversed(submission.facts)}.values())]
    while parts:
        part = parts.pop()
        reason = _refused_by_postgres(part)
        if reason is not None and len(part) == 1:
            reasons[part[0].index] = reason
        elif reason is not None:
            middle = len(part) // 2
            parts += [part[:middle], part[middle:]]
    refusals = [
        refuse_fact(
            fact=fact,
            code=RejectedEvent.Code.INVALID,
            message=f"the event cannot be stored: {reasons[fact.index]}",
        )
        for fact in submission.facts
        if fact.index in reasons
    ]
    return replace(
        submission,
        facts=tuple(fact for fact in submission.facts if fact.index not in reasons),
        refusals=(*submission.refusals, *refusals),
    )


def _refused_by_postgres(facts: Sequence[Fact]) -> str | None:
    """Why the facts cannot be stored together, or None; they are not stored either way."""
    try:
        with transaction.atomic():
            storing.store([(fact, 0) for fact in sorted(facts, key=lambda fact: fact.key)])
            transaction.set_rollback(True)
    except Error as error:
        if _sqlstate(error)[:2] in ("22", "23"):
            return _reason(error)
        raise RecordingUnavailable(str(error)) from error
    return None


def _sqlstate(error: Error) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""


def _reason(error: Error) -> str:
    """PostgreSQL's own sentence, without the parts of the statement that it quotes."""
    cause = error.__cause__
    return (cause.diag.message_primary if isinstance(cause, psycopg.Error) else None) or str(error)


def _instant(time: int) -> datetime:
    return periods.EPOCH + time * periods.MICROSECOND
