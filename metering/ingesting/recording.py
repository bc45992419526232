"""Records the requests of many senders in one commit, each event once for ever, each with a receipt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
    """Batches are added as they are if no event was there before, and corrected where one was."""
    senders = list(dict.fromkeys(submission.sender for submission in submissions))
    plan = _usual_plan(submissions, senders) or _careful_plan(submissions, senders)
    outcomes = _outcomes(submissions, plan, standing={})
    batches = _batches(senders, submissions, outcomes)
    ids, standing = storing.store(batches, plan.parts)
    standing |= storing.standing(plan.unmeterable)
    if standing:
        outcomes = _outcomes(submissions, plan, standing)
        storing.correct(_batches(senders, submissions, outcomes), ids)
    batch_ids = dict(zip(senders, ids, strict=True))
    turned = [
        storing.Turned(refusal, batch_ids[submission.sender], submission.sender, submission.received_at)
        for submission, outcome in zip(submissions, outcomes, strict=True)
        for refusal in outcome.refusals
    ]
    storing.refuse(turned)
    return [
        _receipt(submission, outcome, batch_ids[submission.sender])
        for submission, outcome in zip(submissions, outcomes, strict=True)
    ]


class _Plan(NamedTuple):
    """Which facts are to be stored: as rows, each with the place of its sender, and by their keys.

    ``first`` is None where all of them are, because no two are one event. ``unmeterable``: keys of facts that
    are only looked for.
    """

    parts: list[tuple[rows.Rows, int]]
    first: Mapping[bytes, Fact] | None = None
    unmeterable: Collection[bytes] = ()


class _Outcome(NamedTuple):
    """``time_min``, ``time_max``: of the accepted facts, if there are any."""

    accepted: int
    time_min: int
    time_max: int
    duplicates: int
    refusals: list[Refusal]


def _usual_plan(submissions: Sequence[Submission], senders: Sequence[Sender]) -> _Plan | None:
    """Stores every fact; None if two are one event, or no meter can use one: then each needs a look."""
    count = sum(len(submission.facts) for submission in submissions)
    keys = {key for submission in submissions for key in submission.rows.keys}
    if len(keys) < count:
        return None
    return _Plan([(submission.rows, senders.index(submission.sender)) for submission in submissions])


def _careful_plan(submissions: Sequence[Submission], senders: Sequence[Sender]) -> _Plan:
    """Stores the first of the events with the same key, none that no meter can use."""
    first: dict[bytes, Fact] = {}
    of_sender: dict[Sender, list[Fact]] = {sender: [] for sender in senders}
    unmeterable: set[bytes] = set()
    for submission in submissions:
        for fact in submission.facts:
            if fact.unmeterable is not None:
                unmeterable.add(fact.key)
            elif first.setdefault(fact.key, fact) is fact:
                of_sender[submission.sender].append(fact)
    parts = [(rows.of(facts), place) for place, facts in enumerate(of_sender.values())]
    return _Plan(parts, first, unmeterable - first.keys())


def _outcomes(
    submissions: Sequence[Submission], plan: _Plan, standing: Mapping[bytes, bytes]
) -> list[_Outcome]:
    """``standing``: the contents of the keys that were there before."""
    first = plan.first
    if first is None and not standing:
        return [_whole(submission) for submission in submissions]
    if first is None:
        first = {fact.key: fact for submission in submissions for fact in submission.facts}
    return [_outcome(submission, first, standing) for submission in submissions]


def _whole(submission: Submission) -> _Outcome:
    """All facts are accepted."""
    stored = submission.rows
    return _Outcome(len(submission.facts), stored.time_min, stored.time_max, 0, list(submission.refusals))


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


def _batches(
    senders: Sequence[Sender], submissions: Sequence[Submission], outcomes: Sequence[_Outcome]
) -> list[storing.Batch]:
    of_sender: dict[Sender, list[tuple[Submission, _Outcome]]] = {sender: [] for sender in senders}
    for submission, outcome in zip(submissions, outcomes, strict=True):
        of_sender[submission.sender].append((submission, outcome))
    return [_batch(sender, place, of_sender[sender]) for place, sender in enumerate(senders)]


def _batch(sender: Sender, place: int, of_sender: Sequence[tuple[Submission, _Outcome]]) -> storing.Batch:
    requests, offset = [], 0
    for submission, _ in of_sender:
        requests.append({"sha256": submission.sha256, "events": submission.size, "offset": offset})
        offset += submission.size
    outcomes = [outcome for _, outcome in of_sender]
    accepting = [outcome for outcome in outcomes if outcome.accepted]
    return storing.Batch(
        place=place,
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
        reason = _refused_by_postgres(replace(submission, facts=tuple(part), refusals=()))
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


def _refused_by_postgres(part: Submission) -> str | None:
    """Why the facts cannot be stored together, or None; they are not stored either way."""
    try:
        with transaction.atomic():
            storing.store(_batches([part.sender], [part], [_whole(part)]), [(part.rows, 0)])
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
