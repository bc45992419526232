"""Records the requests of many senders in one commit, each event once for ever, each with a receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

import psycopg
from django.db import Error, transaction

from metering import periods
from metering.ingesting import rows, storing
from metering.ingesting.screening import Fact, Refusal, refuse_fact
from metering.ingesting.submissions import Receipt, Rejection, Sender, Submission
from metering.models import RejectedEvent, partitions

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
    parts = [(submission.rows, batch_ids[submission.sender]) for submission in submissions]
    if _is_usual(submissions):
        standing = storing.store(parts)
        outcomes = [_usual_outcome(submission, standing) for submission in submissions]
    else:
        outcomes = _careful_outcomes(submissions, batch_ids)
    batches, turned = [], []
    for sender, batch_id in batch_ids.items():
        of_sender = [
            (submission, outcome)
            for submission, outcome in zip(submissions, outcomes, strict=True)
            if submission.sender == sender
        ]
        batches.append(_batch(batch_id, of_sender))
        turned += [
            storing.Turned(refusal, batch_id, sender, submission.received_at)
            for submission, outcome in of_sender
            for refusal in outcome.refusals
        ]
    storing.add_batches(batches)
    storing.refuse(turned)
    return [
        _receipt(submission, outcome, batch_ids[submission.sender])
        for submission, outcome in zip(submissions, outcomes, strict=True)
    ]


class _Outcome(NamedTuple):
    """``time_min``, ``time_max``: of the accepted facts, if there are any."""

    accepted: int
    time_min: int
    time_max: int
    duplicates: int
    refusals: list[Refusal]


def _is_usual(submissions: Sequence[Submission]) -> bool:
    """Whether no two events are one, and some meter can use each: then no fact needs a look of its own."""
    count = sum(len(submission.rows.keys) for submission in submissions)
    keys = {key for submission in submissions for key in submission.rows.keys}
    return len(keys) == count == sum(len(submission.facts) for submission in submissions)


def _usual_outcome(submission: Submission, standing: Mapping[bytes, bytes]) -> _Outcome:
    if standing:
        return _outcome(submission, {fact.key: fact for fact in submission.facts}, standing)
    stored = submission.rows
    return _Outcome(len(submission.facts), stored.time_min, stored.time_max, 0, list(submission.refusals))


def _careful_outcomes(submissions: Sequence[Submission], batch_ids: Mapping[Sender, int]) -> list[_Outcome]:
    """Stores the first of the events with the same key, none that no meter can use."""
    first: dict[bytes, Fact] = {}
    of_batch: dict[int, list[Fact]] = {}
    unmeterable: set[bytes] = set()
    for submission in submissions:
        stored = of_batch.setdefault(batch_ids[submission.sender], [])
        for fact in submission.facts:
            if fact.unmeterable is not None:
                unmeterable.add(fact.key)
            elif first.setdefault(fact.key, fact) is fact:
                stored.append(fact)
    standing = storing.store([(rows.of(facts), batch_id) for batch_id, facts in of_batch.items()])
    standing |= storing.standing(unmeterable - first.keys())
    return [_outcome(submission, first, standing) for submission in submissions]


def _outcome(
    submission: Submission, first: Mapping[bytes, Fact], standing: Mapping[bytes, bytes]
) -> _Outcome:
    """``first``: the facts that took their keys, unless ``standing`` has the content of one."""
    times, duplicates, refusals = [], 0, list(submission.refusals)
    for fact in submission.facts:
        content, stood = standing.get(fact.key), first.get(fact.key)
        if content is None and stood is fact:
            times.append(fact.time)
            continue
        if content is None and stood is not None:
            content = stood.content
        if content == fact.content:
            duplicates += 1
        elif fact.unmeterable is not None:
            code = RejectedEvent.Code.UNMETERABLE
            refusals.append(refuse_fact(fact=fact, code=code, message=fact.unmeterable))
        else:
            refusals.append(refuse_fact(fact=fact, code=RejectedEvent.Code.CONFLICT, message=_CONFLICT))
    assert len(times) + duplicates + len(refusals) == submission.size, "every event has one outcome"
    refusals.sort(key=lambda refusal: refusal.index)
    return _Outcome(len(times), min(times, default=0), max(times, default=0), duplicates, refusals)


def _batch(batch_id: int, of_sender: Sequence[tuple[Submission, _Outcome]]) -> storing.Batch:
    requests, offset = [], 0
    for submission, _ in of_sender:
        requests.append({"sha256": submission.sha256, "events": submission.size, "offset": offset})
        offset += submission.size
    outcomes = [outcome for _, outcome in of_sender]
    accepting = [outcome for outcome in outcomes if outcome.accepted]
    sender = of_sender[0][0].sender
    return storing.Batch(
        id=batch_id,
        api_key_id=sender.api_key_id,
        webhook_source_id=sender.webhook_source_id,
        received_at=min(submission.received_at for submission, _ in of_sender),
        accepted=sum(outcome.accepted for outcome in outcomes),
        duplicates=sum(outcome.duplicates for outcome in outcomes),
        rejected=sum(len(outcome.refusals) for outcome in outcomes),
        requests=requests,
        time_min=_instant(min(each.time_min for each in accepting)) if accepting else None,
        time_max=_instant(max(each.time_max for each in accepting)) if accepting else None,
    )


def _receipt(submission: Submission, outcome: _Outcome, batch_id: int) -> Receipt:
    return Receipt(
        batch=str(batch_id),
        sha256=submission.sha256,
        accepted=outcome.accepted,
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
            storing.store([(rows.of(facts), 0)])
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
