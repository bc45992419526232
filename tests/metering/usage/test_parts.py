"""Parts of usage: of some values of dimensions, and of windows that begin inside a quarter hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering import defining, measures, rolling, usage
from metering.documents import meter
from metering.models import partitions
from metering.periods import Period
from metering.usage import DimensionUnknown, Windows
from tests.world import buckets, catalog, events, meters, purchases

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 1, tzinfo=UTC)
OCTOBER = catalog.OCTOBER
FOUND = ["COUNT", "SUM", "DURATION", "MAX", "MIN", "AVERAGE", "LATEST", "UNIQUE"]
ONLY = [{"model": ["large"]}, {"region": ["eu", ""], "model": purchases.MODELS}, {"subject": ["acme"]}]


@pytest.mark.parametrize("aggregation", FOUND)
class TestOnly:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(choices=st.data())
    def test_measures_the_usage_with_these_values(self, aggregation, choices):
        draw = choices.draw
        document, stored = purchases.meter(aggregation), draw(purchases.events(before=False))
        only, by = draw(st.sampled_from(ONLY)), draw(st.sampled_from([(), ("model",), ("region",)]))
        second = timedelta(seconds=draw(st.integers(0, 1)))
        period = Period(OCTOBER.start + second, OCTOBER.end - second)
        with transaction.atomic():
            partitions.ensure([OCTOBER.start.date()])
            version = defining.apply(document=document, at=AT)[0].version
            events.store(stored[::2])
            rolling.roll_up(limit=1, at=AT)
            events.store(stored[1::2])
            counted = [
                each
                for each in buckets.contributions(version, stored)
                if all(
                    {**dict(each.dimensions), "subject": each.subject}[name] in values
                    for name, values in only.items()
                )
            ]
            answer = usage.quantities(
                meter=version, spans=[(name, period) for name in purchases.SUBJECTS], by=by, only=only
            )
            transaction.set_rollback(True)
        definition = meter.parse(document)
        rows = measures.rows(definition, counted, period=period, by=by)
        expected = [(dict(row.dimensions), row.quantity / definition.per_microseconds) for row in rows]
        assert [(dict(row.dimensions), row.quantity) for row in answer.rows] == expected

    def test_is_refused_for_an_unknown_dimension(self, aggregation):
        version = defining.apply(document=purchases.meter(aggregation), at=AT)[0].version
        with pytest.raises(DimensionUnknown, match="colour"):
            usage.quantities(meter=version, spans=[("acme", OCTOBER)], only={"colour": ["red"]})


class TestWindowsInsideAQuarterHour:
    """In Newfoundland the clocks changed a minute after midnight until 2011: an hour began at 00:01."""

    NIGHT = Period(datetime(2009, 3, 8, 2, tzinfo=UTC), datetime(2009, 3, 8, 6, tzinfo=UTC))

    @pytest.mark.parametrize("aggregation", ["SUM", "DURATION", "LATEST", "UNIQUE"])
    def test_have_what_each_has_alone(self, aggregation):
        partitions.ensure([date(2009, 3, 1)])
        version = meters.meter("m", aggregation, value="v")
        each_minute = [self.NIGHT.start + timedelta(seconds=47 * n) for n in range(300)]
        stored = [
            events.event(
                n, at, {"v": n % 7, "start": at.isoformat(), "end": (at + timedelta(minutes=9)).isoformat()}
            )
            for n, at in enumerate(each_minute)
        ]
        events.store(stored[:200])
        rolling.roll_up(limit=1, at=AT)
        events.store(stored[200:])
        windows = Windows("HOUR", "America/St_Johns")
        rows = usage.quantities(meter=version, spans=[("acme", self.NIGHT)], windows=windows).rows
        assert any(row.window.start.minute % 15 for row in rows)
        for row in rows:
            alone = usage.quantities(meter=version, spans=[("acme", row.window.intersect(self.NIGHT))])
            assert [(one.quantity, one.count) for one in alone.rows] == [(row.quantity, row.count)]
