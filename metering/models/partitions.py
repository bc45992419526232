"""The month partitions of `metering_event`: made when first needed, kept for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db import DatabaseError, connection, transaction

LOCK_TIMEOUT_S = 2
ATTEMPTS_MAX = 5

# The months that are known to exist, by database: a commit must not ask the catalogue each time.
_known: dict[str, set[date]] = {}


class PartitionUnavailable(Exception):
    """A month's partition could not be made now, because other work holds the table; try again later."""


def ensure(months: Iterable[date]) -> None:
    """Makes the missing partitions of these months, each named by any of its days in UTC.

    Each is made in a transaction of its own, so call it outside of one. Raises `PartitionUnavailable`
    when a lock is not to be had within 5 attempts of 2 seconds.
    """
    known = _known.setdefault(connection.settings_dict["NAME"], set())
    for month in sorted({day.replace(day=1) for day in months} - known):
        _ensure(month)
        if not connection.in_atomic_block:  # else it may still be rolled back
            known.add(month)


def forget() -> None:
    """Forgets which partitions exist, so that the next `ensure` asks the database."""
    _known.clear()


def name(month: date) -> str:
    """The table that holds the events of a month."""
    return f"metering_event_{month:%Y_%m}"


def _ensure(month: date) -> None:
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            with transaction.atomic():
                _make_if_missing(month)
            return
        except DatabaseError as error:
            # lock_not_available, deadlock_detected
            if getattr(error.__cause__, "sqlstate", "") not in ("55P03", "40P01"):
                raise
            if attempt == ATTEMPTS_MAX:
                raise PartitionUnavailable(f"the table of the events of {month:%Y-%m} is busy") from error


def _make_if_missing(month: date) -> None:
    with connection.cursor() as cursor:
        if _exists(cursor, month):
            return
        cursor.execute("select set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT_S}s"])
        # Two processes that need the same month at once make it one after the other.
        cursor.execute("select pg_advisory_xact_lock(hashtext('metering_event partitions'))")
        if not _exists(cursor, month):
            _make(cursor, month)


def _exists(cursor, month: date) -> bool:  # type: ignore[no-untyped-def]  # Django's cursor has no public type
    # to_regclass would say what it said before the wait for the lock: it looks into a cache.
    cursor.execute(
        "select exists ("
        "select from pg_class where relname = %s and relnamespace = current_schema()::regnamespace)",
        [name(month)],
    )
    return bool(cursor.fetchone()[0])


def _make(cursor, month: date) -> None:  # type: ignore[no-untyped-def]
    """CREATE TABLE ... PARTITION OF would wait for every open insert and stop all new ones; ATTACH does not.

    With the check in place ATTACH knows without looking that no row is out of bounds; then it has done its
    work. Row triggers come with ATTACH, the one against TRUNCATE must be made for each table.
    """
    table, start, end = name(month), f"{month:%Y-%m}-01 00:00:00+00", f"{_next(month):%Y-%m}-01 00:00:00+00"
    cursor.execute(
        f"create table {table} (like metering_event including all);"
        f"alter table {table} add constraint {table}_bounds check (time >= '{start}' and time < '{end}');"
        f"alter table metering_event attach partition {table} for values from ('{start}') to ('{end}');"
        f"alter table {table} drop constraint {table}_bounds;"
        f"create trigger event_is_not_truncated before truncate on {table}"
        f" for each statement execute function meterbook_refuse_truncate();"
    )


def _next(month: date) -> date:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
