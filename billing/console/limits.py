"""A bound in time on what one page may ask of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg import errors

STATEMENT_MS = 4000


class TooSlow(Exception):
    """The database did not answer within the bound: the page shows what to narrow down."""


@contextmanager
def answer_in_time() -> Iterator[None]:
    """Cancels any statement inside that runs longer than `STATEMENT_MS`, and raises `TooSlow` then.

    Not for writing.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("select set_config('statement_timeout', %s, true)", [str(STATEMENT_MS)])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise TooSlow from error
        raise
