from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metering import ingesting
from metering.models import Meter, MeterVersion
from tests.metering.ingesting.facts import AT, draft, screened

pytestmark = pytest.mark.django_db


def meter(
    slug: str,
    *,
    archived_at: datetime | None = None,
    effective_at: datetime | None = None,
    **document: object,
) -> None:
    usual = {
        "slug": slug,
        "name": slug,
        "unit": "",
        "event_type": "llm.call",
        "aggregation": "SUM",
        "value": slug,
    }
    made, _ = Meter.objects.get_or_create(slug=slug, defaults={"created_at": AT, "archived_at": archived_at})
    MeterVersion.objects.create(
        meter=made,
        number=made.versions.count() + 1,
        document=usual | document,
        effective_at=effective_at,
        epoch=1,
        created_at=AT,
    )


def verdict(data: str, **members: object) -> str | None:
    [fact] = screened(draft(data=data.encode(), **members), judge=ingesting.load().judge)
    assert isinstance(fact, ingesting.Fact)
    return fact.unmeterable


class TestJudge:
    def test_lets_everything_in_without_meters(self):
        assert verdict('{"input": "x"}') is None

    def test_turns_away_what_no_strict_meter_can_use(self):
        meter("input")
        assert verdict('{"output": 1}') == "no meter can use this event (input: input is missing)"

    def test_lets_in_what_one_of_the_meters_can_use(self):
        meter("input")
        meter("cached")
        assert verdict('{"input": 1, "cached": null}') is None

    def test_lets_in_what_only_lenient_meters_cannot_use(self):
        meter("input", strict=False)
        assert verdict('{"output": 1}') is None

    def test_lets_in_what_an_optional_meter_has_nothing_to_count_in(self):
        meter("input", optional=True)
        assert verdict('{"output": 1}') is None
        assert verdict('{"input": "many"}') is not None

    def test_asks_only_meters_that_match(self):
        meter("input", where={"status": ["success"]})
        assert verdict('{"status": "failure"}') is None
        assert verdict("{}", type="gpu.usage") is None

    def test_asks_the_version_in_force_at_the_time_of_the_event(self):
        meter("tokens", value="input")
        meter("tokens", value="output", effective_at=datetime(2026, 10, 1, tzinfo=UTC))
        assert verdict('{"input": 1}', time="2026-09-30T23:59:59.999999Z") is None
        assert verdict('{"input": 1}', time="2026-10-01T00:00:00Z") is not None

    def test_turns_nothing_away_for_an_archived_meter(self):
        meter("input", archived_at=AT)
        assert verdict('{"output": 1}') is None

    def test_lets_in_what_an_archived_meter_still_counts(self):
        meter("input", archived_at=AT)
        meter("output")
        assert verdict('{"input": 1}') is None
        assert verdict('{"images": 1}') is not None
