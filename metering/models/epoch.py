"""The epoch of meters: what orders new meter versions against running roll-ups."""

from __future__ import annotations

from django.db import OperationalError, connection

LOCK_NOT_AVAILABLE = "55P03"


class RollUpsBusy(Exception):
    """Roll-ups went on for longer than the lock timeout: try again later."""


def hold() -> int:
    """The present epoch, which stays the same until the caller's transaction ends.

    Whoever begins a new one waits for that: so a batch is rolled up either with a meter version or before it.
    """
    with connection.cursor() as cursor:
        cursor.execute("select epoch from metering_meterepoch where id = 1 for share")
        row = cursor.fetchone()
    return row[0] if row else 0


def begin() -> int:
    """A new epoch, for meter versions that the caller creates in this transaction.

    Waits until running roll-ups have committed and lets none begin before the transaction ends. Raises
    RollUpsBusy.
    """
    stop_rolling()
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into metering_meterepoch (id, epoch) values (1, 1)"
            " on conflict (id) do update set epoch = metering_meterepoch.epoch + 1 returning epoch"
        )
        return int(cursor.fetchone()[0])


def stop_rolling() -> None:
    """Waits until running roll-ups have committed, and lets none begin before the caller's transaction ends.

    The lock is on the table: those who wait for it are served in turn, while a row that some roll-up or other
    always shares is never free. It also holds while there is no row yet. Raises RollUpsBusy.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("lock table metering_meterepoch in exclusive mode")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != LOCK_NOT_AVAILABLE:
            raise
        raise RollUpsBusy("roll-ups have been running without a break; try again in a minute") from error
