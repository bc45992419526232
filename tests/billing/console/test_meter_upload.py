"""Defining a meter by its document."""

import pytest
from django.urls import reverse

from metering.models import Meter, MeterVersion

pytestmark = pytest.mark.django_db

ADDRESS = "/console/meters/upload/"
METER = "slug: calls\nname: Calls\nunit: call\nevent_type: llm.call\naggregation: COUNT\n"


class TestUpload:
    def test_defines_a_meter(self, owner):
        answer = owner.post(ADDRESS, {"text": METER})
        meter = Meter.objects.get()
        assert answer.url == reverse("admin:metering_meter_change", args=[meter.pk])
        assert meter.slug == "calls"

    def test_changes_nothing_the_second_time(self, owner):
        owner.post(ADDRESS, {"text": METER})
        assert owner.post(ADDRESS, {"text": METER}).status_code == 302
        assert MeterVersion.objects.count() == 1

    def test_names_a_wrong_key_its_place_and_its_line(self, owner):
        answer = owner.post(ADDRESS, {"text": METER.replace("unit", "units")})
        page = answer.content.decode()
        assert answer.status_code == 400
        assert "meter.units" in page
        assert "(line 3)" in page
        assert not Meter.objects.exists()

    def test_refuses_another_definition_of_the_same_meter(self, owner):
        owner.post(ADDRESS, {"text": METER})
        answer = owner.post(ADDRESS, {"text": METER.replace("llm.call", "gpu.usage")})
        assert answer.status_code == 400
        assert MeterVersion.objects.get().document["event_type"] == "llm.call"
