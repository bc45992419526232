"""Batches and meters as they are shown."""

import pytest
from django.urls import reverse

from metering.models import EventBatch
from tests.world import events, meters

pytestmark = pytest.mark.django_db


class TestBatch:
    def listed(self, client, query=""):
        page = client.get(reverse("admin:metering_eventbatch_changelist") + query)
        return [batch.pk for batch in page.context["cl"].result_list]

    def stored(self, **fields):
        batch = events.store([])
        EventBatch.objects.filter(pk=batch.pk).update(**fields)
        return batch.pk

    def test_is_listed_newest_first(self, owner):
        first, second = self.stored(), self.stored()
        assert self.listed(owner) == [second, first]

    def test_is_found_while_it_waits(self, owner):
        waiting, failing = self.stored(), self.stored(attempts=2, last_error="deadlock")
        rolled = self.stored(rolled_epoch=1)
        assert self.listed(owner, "?state=pending") == [failing, waiting]
        assert self.listed(owner, "?state=failing") == [failing]
        assert self.listed(owner) == [rolled, failing, waiting]

    def test_shows_its_requests_and_its_error(self, owner):
        pk = self.stored(
            requests=[{"sha256": "ab" * 32, "events": 1234, "offset": 0}],
            attempts=1,
            last_error="no partition",
        )
        page = owner.get(reverse("admin:metering_eventbatch_change", args=[pk])).content.decode()
        assert "ab" * 32 in page
        assert "1,234" in page
        assert "no partition" in page


class TestMeter:
    def test_shows_its_definition(self, owner):
        version = meters.meter(
            "gpu_hours",
            "DURATION",
            "gpu.usage",
            value={"times": ["gpu_count", "gpu_fraction"]},
            where={"state": ["run", "hold"]},
            unit="GPU-hour",
            dimensions={"gpu": "gpu_type"},
        )
        page = owner.get(reverse("admin:metering_meter_change", args=[version.meter_id])).content.decode()
        assert "<code>gpu_count</code> × <code>gpu_fraction</code>" in page
        assert "run or hold" in page
        assert "(gpu_type)" in page
        assert "still being counted" in page
