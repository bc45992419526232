"""A bound in time on what one question may ask of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

STATEMENT_MS = 4000
QUERY_CANCELED = "57014"


class TooSlow(Exception):
    """The database did not answer within the bound: ask for less at once."""


@contextmanager
def answer_in_time(*, is_searching: bool = False) -> Iterator[None]:
    """Cancels any statement inside that runs longer than `STATEMENT_MS`, and raises `TooSlow` then.

    ``is_searching``: an index is used wherever there is one, and no parallel workers are, whatever the
    planner thinks of it: it cannot know how much the filters of a BRIN index spare. Not for writing.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("select set_config('statement_timeout', %s, true)", [str(STATEMENT_MS)])
                if is_searching:
                    cursor.execute("set local enable_seqscan = off")
                    cursor.execute("set local max_parallel_workers_per_gather = 0")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != QUERY_CANCELED:
            raise
        raise TooSlow from error
