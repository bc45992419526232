"""The tasks do all that is waiting, and do nothing twice."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection

from metering import rolling, tasks
from metering.models import EventBatch, MeterVersion, partitions
from tests.world import buckets, events, meters

pytestmark = pytest.mark.django_db(transaction=True)

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)


class TestRollUpPending:
    def test_has_the_name_by_which_it_is_woken(self):
        assert tasks.roll_up_pending.name == "metering.tasks.roll_up_pending"
        assert tasks.make_partitions_ahead.name == "metering.tasks.make_partitions_ahead"

    def test_rolls_up_all_that_is_pending_and_counts_for_new_meters_what_was_not(self):
        old = meters.meter("old")
        events.store_in_batches([events.event(n, T, {}) for n in range(3)], 1)
        rolling.roll_up(limit=2, at=T)
        new = meters.meter("new")
        tasks.roll_up_pending()
        tasks.roll_up_pending()
        assert not EventBatch.objects.filter(rolled_epoch__isnull=True).exists()
        assert MeterVersion.objects.filter(is_built=True).count() == 2
        for version in (old, new):
            assert buckets.stored(version) == {("acme", frozenset(), T): (3, 3)}


class TestMakePartitionsAhead:
    def test_makes_this_month_and_the_next_three(self):
        partitions.forget()
        with time_machine.travel(datetime(2031, 11, 30, 12, tzinfo=UTC), tick=False):
            tasks.make_partitions_ahead()
            tasks.make_partitions_ahead()
        with connection.cursor() as cursor:
            cursor.execute(
                "select relname from pg_class where relname ~ '^metering_event_203[12]_..$' order by 1"
            )
            made = [row[0] for row in cursor.fetchall()]
        months = [date(2031, 11, 1), date(2031, 12, 1), date(2032, 1, 1), date(2032, 2, 1)]
        assert made == [partitions.name(month) for month in months]
