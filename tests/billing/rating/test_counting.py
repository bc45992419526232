"""Quotes that bring raw events, counted by their meters."""

import pytest

from metering.documents import DocumentError
from tests.billing.rating.quotes import component, plan, quote

DOLLAR = {"model": "per_unit", "unit_amount": "1"}
HOURS = {
    "slug": "gpu_hours",
    "name": "GPU-hours",
    "unit": "GPU-hour",
    "event_type": "gpu.usage",
    "aggregation": "DURATION",
    "value": "gpu_count",
    "dimensions": {"gpu_type": "gpu_type"},
}
AN_HOUR = {
    "id": "1",
    "source": "s",
    "type": "gpu.usage",
    "subject": "t",
    "time": "2026-10-02T10:00:00Z",
    "data": {"gpu_count": 8, "start": "2026-10-02T10:00:00Z", "end": "2026-10-02T11:00:00Z"},
}


def refused(of, *usage, **more):
    with pytest.raises(DocumentError) as error:
        quote(of, *usage, **more)
    return error.value.code, error.value.field


class TestEvents:
    def test_are_counted_by_the_meters(self):
        of = plan(component({"model": "per_unit", "unit_amount": "2.5"}, meter="gpu_hours"))
        answer = quote(of, events=[AN_HOUR], meters=[HOURS])
        assert answer["total"] == "20.00"
        assert answer["lines"][0]["unit"] == "GPU-hour"

    def test_that_are_sent_twice_count_once(self):
        of = plan(component(DOLLAR, meter="gpu_hours"))
        assert quote(of, events=[AN_HOUR, AN_HOUR], meters=[HOURS])["total"] == "8.00"

    def test_with_one_id_and_another_content_are_refused(self):
        of = plan(component(DOLLAR, meter="gpu_hours"))
        other = {**AN_HOUR, "subject": "u"}
        assert refused(of, events=[AN_HOUR, other], meters=[HOURS]) == ("invalid", "events[1].id")

    def test_that_are_voided_count_nothing(self):
        void = {
            "id": "2",
            "source": "s",
            "type": "meterbook.void",
            "subject": "t",
            "data": {"source": "s", "id": "1", "reason": "a test"},
        }
        of = plan(component(DOLLAR, meter="gpu_hours"))
        assert quote(of, events=[void, AN_HOUR], meters=[HOURS])["total"] == "0.00"

    def test_that_no_meter_can_use_are_refused(self):
        broken = {**AN_HOUR, "data": {"gpu_count": 8}}
        of = plan(component(DOLLAR, meter="gpu_hours"))
        assert refused(of, events=[broken], meters=[HOURS]) == ("unmeterable", "events[0]")

    def test_that_one_of_two_meters_can_use_are_counted_there_and_listed(self):
        calls = {"slug": "calls", "name": "Calls", "event_type": "gpu.usage", "aggregation": "COUNT"}
        broken = {**AN_HOUR, "data": {"gpu_count": 8}}
        of = plan(component(DOLLAR, meter="gpu_hours"), component(DOLLAR, code="calls", meter="calls"))
        answer = quote(of, events=[broken], meters=[HOURS, calls])
        assert answer["total"] == "1.00"
        assert [(each["meter"], each["reason"]) for each in answer["unbilled"]] == [
            ("gpu_hours", "event 1: start is missing")
        ]

    def test_of_no_meter_are_listed(self):
        answer = quote(plan(component(DOLLAR)), events=[AN_HOUR])
        assert answer["unbilled"][0]["reason"] == "no meter counts the event 1 of type gpu.usage"

    def test_outside_the_period_are_refused(self):
        late = {
            "id": "1",
            "source": "s",
            "type": "units",
            "subject": "t",
            "time": "2026-11-01T00:00:00Z",
            "data": {"n": 1},
        }
        assert refused(plan(component(DOLLAR)), events=[late]) == ("period", "events[0].time")

    def test_that_reach_into_the_period_count_their_part(self):
        data = {"gpu_count": 1, "start": "2026-09-30T22:00:00Z", "end": "2026-10-01T03:00:00Z"}
        of = plan(component(DOLLAR, meter="gpu_hours"))
        assert quote(of, events=[{**AN_HOUR, "data": data}], meters=[HOURS])["total"] == "3.00"

    def test_take_free_units_as_rows_of_usage_do(self):
        of = plan(component(DOLLAR, meter="gpu_hours", included={"quantity": "6", "every": "HOUR"}))
        assert quote(of, events=[AN_HOUR], meters=[HOURS])["total"] == "2.00"

    def test_carry_amounts_and_cents(self):
        event = {
            "id": "1",
            "source": "lago",
            "type": "units",
            "subject": "t",
            "time": "2026-10-02T00:00:00Z",
            "data": {"n": 1, "precise_total_amount_cents": "1234.5", "currency": "USD"},
        }
        price = {
            "model": "dynamic",
            "amount": "precise_total_amount_cents",
            "amount_unit": "MINOR",
            "amount_currency": "currency",
        }
        [line] = quote(plan(component(price)), events=[event])["lines"]
        assert (line["unrounded"], line["amount"]) == ("12.345", "12.35")

    def test_of_uncached_input_are_billed_once(self):
        # 10,000 input tokens of which 8,000 were cached, 2.50 and 1.25 a million: 0.005 + 0.01
        meters = [
            {
                "slug": "fresh",
                "name": "F",
                "event_type": "llm.call",
                "aggregation": "SUM",
                "value": {"plus": ["input_tokens"], "minus": ["cached_input_tokens", "cache_write_tokens"]},
            },
            {
                "slug": "cached",
                "name": "C",
                "event_type": "llm.call",
                "aggregation": "SUM",
                "value": "cached_input_tokens",
                "optional": True,
            },
        ]
        of = plan(
            component({"model": "per_unit", "unit_amount": "0.0000025"}, code="fresh", meter="fresh"),
            component({"model": "per_unit", "unit_amount": "0.00000125"}, code="cached", meter="cached"),
        )
        call = {
            "id": "1",
            "source": "g",
            "type": "llm.call",
            "subject": "t",
            "data": {"input_tokens": 10000, "cached_input_tokens": 8000, "cache_write_tokens": None},
        }
        assert [line["unrounded"] for line in quote(of, events=[call], meters=meters)["lines"]] == [
            "0.005",
            "0.01",
        ]


class TestLevels:
    def test_last_until_the_period_ends(self):
        # 8 GPUs since 28 September: October has 8 x 744 = 5,952 GPU-hours, at 2.50 14,880.00
        level = {
            "slug": "gpus",
            "name": "GPUs",
            "unit": "GPU-hour",
            "event_type": "gpus",
            "aggregation": "TIME_WEIGHTED",
            "value": "n",
        }
        event = {
            "id": "1",
            "source": "s",
            "type": "gpus",
            "subject": "t",
            "time": "2026-09-28T00:00:00Z",
            "data": {"n": 8},
        }
        of = plan(component({"model": "per_unit", "unit_amount": "2.5"}, meter="gpus"))
        answer = quote(of, events=[event], meters=[level])
        assert (answer["lines"][0]["quantity"], answer["total"]) == ("5952", "14880.00")
        assert quote(of, events=[event], meters=[level], as_of="2026-10-02T00:00:00Z")["total"] == "480.00"
