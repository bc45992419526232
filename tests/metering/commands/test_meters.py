"""``manage.py meters apply``: one line a meter, one clear line for what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from metering import rolling
from metering.models import Meter, MeterVersion
from tests.world import buckets, events

pytestmark = pytest.mark.django_db(transaction=True)

T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
FILE = """
- slug: calls
  name: Calls
  event_type: llm.call
  aggregation: COUNT
- slug: gpu_hours
  name: GPU-hours
  event_type: gpu.usage
  aggregation: DURATION
  value: gpu_count
  where: {state: run}
"""


@pytest.fixture
def apply(tmp_path):
    def run(text: str, name: str = "meters.yaml") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        out = StringIO()
        call_command("meters", "apply", str(path), stdout=out)
        return out.getvalue()

    return run


def refusal(apply, text: str, name: str = "meters.yaml") -> tuple[str, int]:
    with pytest.raises(CommandError) as refused:
        apply(text, name)
    return str(refused.value).partition(name)[2], refused.value.returncode


class TestApply:
    def test_creates_meters_and_changes_nothing_the_second_time(self, apply):
        assert apply(FILE) == "calls: created\ngpu_hours: created\n"
        assert apply(FILE) == "calls: unchanged\ngpu_hours: unchanged\n"

    def test_takes_one_meter_as_json(self, apply):
        text = '{"slug": "calls", "name": "Calls", "event_type": "llm.call", "aggregation": "COUNT"}'
        assert apply(text, "calls.json") == "calls: created\n"

    def test_counts_what_was_stored_before(self, apply):
        events.store([events.event(n, T, {}) for n in range(3)])
        rolling.roll_up(limit=1, at=T)
        assert apply(FILE).splitlines()[-1] == "counted the events of 1 batches that were stored before"
        version = MeterVersion.objects.get(meter__slug="calls")
        assert version.is_built
        assert buckets.stored(version) == {("acme", frozenset(), T): (3, 3)}

    def test_names_the_place_of_what_is_wrong(self, apply):
        text = FILE.replace("value: gpu_count", "valu: gpu_count")
        assert refusal(apply, text) == (": meters[1].valu: unknown key, did you mean value?", 2)
        assert Meter.objects.count() == 0

    def test_refuses_an_aggregation_that_is_not_built(self, apply):
        text = FILE.replace("COUNT", "TIME_WEIGHTED\n  value: n")
        reason = ": meters[0].aggregation: aggregation TIME_WEIGHTED is not built yet"
        assert refusal(apply, text) == (reason, 2)

    def test_refuses_a_changed_meter(self, apply):
        apply(FILE)
        message, status = refusal(apply, FILE.replace("name: Calls", "name: All calls"))
        assert "the meter calls exists and is defined otherwise (name)" in message
        assert status == 1

    def test_refuses_what_is_no_document(self, apply):
        assert refusal(apply, "{", "broken.json")[1] == 2

    def test_refuses_a_file_that_is_not_there(self):
        with pytest.raises(CommandError, match=r"nowhere\.yaml cannot be read") as refused:
            call_command("meters", "apply", "nowhere.yaml")
        assert refused.value.returncode == 2
