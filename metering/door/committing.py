"""Group commit: what waits at the same time is written in one transaction.

A commit costs a flush to the disk whatever is in it. While one runs, further requests pile up and make the
next one: no timer is needed, and a lone request does not wait for company.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable

import structlog
from django.db import connection

from metering import ingesting

log = structlog.get_logger(__name__)

# Two large commits are under way at once: PostgreSQL works on the one while the other is put together. Small
# ones wait for each other instead, so that what came in meanwhile makes one group and not two.
COMMITTERS = 2
SMALL_EVENTS_MAX = 300
# Were all that eight senders of large batches have under way in one commit, PostgreSQL would be idle until
# they have sent more.
COMMIT_EVENTS_MAX = 3_000
WAIT_S_MAX = 60.0
# After a pause this long the connection is tried before it is used: the server may have gone meanwhile.
IDLE_S_MAX = 1.0


class CommitTimedOut(Exception):
    """No answer came from the database in time. What was sent may still be recorded."""


class _Waiting:
    """A submission in the queue, and the thread that waits for its receipt."""

    def __init__(self, submission: ingesting.Submission) -> None:
        self.submission = submission
        self.outcome: ingesting.Receipt | Exception | None = None
        self._under_way = threading.Lock()  # one waits, once: threading.Event can more, and costs more
        self._under_way.acquire()

    def finish(self, outcome: ingesting.Receipt | Exception) -> None:
        self.outcome = outcome
        self._under_way.release()

    def is_finished_within(self, timeout_s: float) -> bool:
        """Whether the outcome is there, now or after a wait; to be asked once."""
        return self._under_way.acquire(timeout=timeout_s)


class Committer:
    """Commits the submissions of many threads together. ``after_commit`` is called after each commit."""

    def __init__(self, *, after_commit: Callable[[], None]) -> None:
        self._after_commit = after_commit
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._turn = threading.Lock()  # held while a group is collected, and while a small one is committed
        self._process_id = 0

    def commit(self, submission: ingesting.Submission) -> ingesting.Receipt:
        """The receipt of a submission, once it is durable.

        Raises `ingesting.RecordingUnavailable` when it was not recorded, `CommitTimedOut` after a minute.
        """
        self._start()
        waiting = _Waiting(submission)
        self._queue.put(waiting)
        if not waiting.is_finished_within(WAIT_S_MAX):
            raise CommitTimedOut
        if isinstance(waiting.outcome, Exception):
            raise waiting.outcome
        assert waiting.outcome is not None
        return waiting.outcome

    def _start(self) -> None:
        """Starts the threads at the first request of a process; threads do not survive a fork."""
        if self._process_id != os.getpid():
            with self._starting:
                if self._process_id != os.getpid():
                    self._queue = queue.SimpleQueue()
                    for number in range(COMMITTERS):
                        threading.Thread(target=self._run, name=f"committer-{number}", daemon=True).start()
                    self._process_id = os.getpid()

    def _run(self) -> None:
        connection_used_s = 0.0
        while True:
            with self._turn:
                group = self._next_group()
                is_small = sum(waiting.submission.size for waiting in group) <= SMALL_EVENTS_MAX
                if is_small:
                    outcomes = self._recorded(group, connection_used_s)
            if not is_small:
                outcomes = self._recorded(group, connection_used_s)
            connection_used_s = time.monotonic()
            for waiting, outcome in zip(group, outcomes, strict=True):
                waiting.finish(outcome)
            if any(isinstance(outcome, ingesting.Receipt) for outcome in outcomes):
                self._after_commit()

    def _recorded(
        self, group: list[_Waiting], connection_used_s: float
    ) -> list[ingesting.Receipt | Exception]:
        """The outcome of each submission of the group, for all of them the same error where it failed."""
        try:
            if time.monotonic() - connection_used_s > IDLE_S_MAX:
                connection.close_if_unusable_or_obsolete()
            return [*ingesting.record([waiting.submission for waiting in group])]
        except Exception as error:
            if not isinstance(error, ingesting.RecordingUnavailable):
                log.exception("commit_failed")
            connection.close()
            return [error] * len(group)

    def _next_group(self) -> list[_Waiting]:
        """Whatever waits now, up to a bound; waits only for the first."""
        group = [self._queue.get()]
        events = group[0].submission.size
        while events < COMMIT_EVENTS_MAX:
            try:
                group.append(self._queue.get_nowait())
            except queue.Empty:
                break
            events += group[-1].submission.size
        return group
