from datetime import UTC, date, datetime

import pytest

from billing import versions
from billing.cycles import Cycle
from billing.models import PlanVersion
from metering.periods import Period

MONTHLY = Cycle(date(2026, 1, 1), "MONTH", 1, "UTC")
OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def october(day, hour=0):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def version(number, effective_at=None, migration="NEXT_PERIOD"):
    return PlanVersion(pk=number, number=number, effective_at=effective_at, migration=migration)


def followed(*plan, joined_at=LONG_AGO, period=OCTOBER):
    stretches = versions.followed(versions=plan, joined_at=joined_at, period=period, cycle=MONTHLY)
    return [(each.version.number, each.period.start, each.period.end) for each in stretches]


class TestFollowed:
    def test_is_the_only_version_all_the_time(self):
        assert followed(version(1)) == [(1, october(1), OCTOBER.end)]

    def test_moves_at_once_when_the_version_says_so(self):
        plan = version(1), version(2, october(10, 7), "AT_ONCE")
        assert followed(*plan) == [(1, october(1), october(10, 7)), (2, october(10, 7), OCTOBER.end)]

    def test_waits_for_the_next_period_by_default(self):
        plan = version(1), version(2, october(10))
        assert followed(*plan) == [(1, october(1), OCTOBER.end)]
        november = Period(OCTOBER.end, datetime(2026, 12, 1, tzinfo=UTC))
        assert followed(*plan, period=november) == [(2, november.start, november.end)]

    def test_moves_with_the_period_that_starts_with_the_version(self):
        assert followed(version(1), version(2, october(1))) == [(2, october(1), OCTOBER.end)]

    def test_keeps_its_version_when_the_new_one_is_for_others(self):
        assert followed(version(1), version(2, october(1), "NEVER")) == [(1, october(1), OCTOBER.end)]

    def test_gives_a_new_subscription_the_version_in_force_then(self):
        plan = version(1), version(2, october(5), "NEVER")
        joined = Period(october(20), OCTOBER.end)
        assert followed(*plan, joined_at=october(20), period=joined) == [(2, october(20), OCTOBER.end)]

    def test_does_not_fall_back_to_an_older_version_that_waited(self):
        plan = version(1), version(2, october(5)), version(3, october(20), "AT_ONCE")
        assert followed(*plan) == [(1, october(1), october(20)), (3, october(20), OCTOBER.end)]
        november = Period(OCTOBER.end, datetime(2026, 12, 1, tzinfo=UTC))
        assert followed(*plan, period=november) == [(3, november.start, november.end)]

    def test_refuses_a_time_before_the_first_version(self):
        with pytest.raises(versions.PlanNotInForce, match="2026-01-01"):
            followed(version(1, october(1)))
