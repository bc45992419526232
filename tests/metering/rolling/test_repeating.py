"""Losing against another transaction is no failure; failures of the server are not the batch's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg.errors
import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection

from metering import rolling
from metering.models import EventBatch
from metering.rolling import repeating
from tests.world import buckets, events, meters

pytestmark = pytest.mark.django_db(transaction=True)

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)


def caused_by(error: Exception, cause: type[psycopg.Error]) -> Exception:
    """The error as Django raises it."""
    error.__cause__ = cause()
    return error


@contextmanager
def failing_bucket_writes(times: int, error: Exception) -> Iterator[None]:
    """The first writes of buckets fail."""
    left = [error] * times

    def wrapper(execute, sql, params, many, context):
        if "insert into metering_usagebucket" in sql and left:
            raise left.pop()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield


@pytest.fixture
def calls():
    version = meters.meter("calls")
    events.store([events.event(1, T, {})])
    return version


class TestRollUp:
    @pytest.mark.parametrize("cause", [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure])
    def test_begins_again_when_it_loses_against_another(self, calls, cause):
        with failing_bucket_writes(4, caused_by(OperationalError("lost"), cause)):
            assert rolling.roll_up(limit=1, at=T) == 1
        assert buckets.stored(calls) == {("acme", frozenset(), T): (1, 1)}
        assert EventBatch.objects.get().attempts == 0

    @pytest.mark.parametrize(
        "cause", [psycopg.errors.DeadlockDetected, psycopg.errors.DiskFull, psycopg.errors.LockNotAvailable]
    )
    def test_does_not_blame_the_batch_for_what_the_server_lacks(self, calls, cause):
        with failing_bucket_writes(5, caused_by(OperationalError("not now"), cause)):
            with pytest.raises(OperationalError, match="not now"):
                rolling.roll_up(limit=1, at=T)
        assert EventBatch.objects.get().attempts == 0
        assert rolling.roll_up(limit=1, at=T) == 1


class TestIsOfTheBatch:
    @pytest.mark.parametrize(
        ("error", "is_of_the_batch"),
        [
            (caused_by(DataError(), psycopg.errors.NumericValueOutOfRange), True),
            (caused_by(IntegrityError(), psycopg.errors.UniqueViolation), True),
            (caused_by(OperationalError(), psycopg.errors.ProgramLimitExceeded), True),
            (ZeroDivisionError(), True),
            (caused_by(OperationalError(), psycopg.errors.AdminShutdown), False),
            (OperationalError("the connection is closed"), False),
            (InterfaceError(), False),
        ],
    )
    def test_tells_the_batch_from_the_server(self, error, is_of_the_batch):
        assert repeating.is_of_the_batch(error) is is_of_the_batch
