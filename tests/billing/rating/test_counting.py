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

    def test_without_an_optional_value_are_counted_by_the_others(self):
        tokens = {"event_type": "llm.call", "aggregation": "SUM"}
        whole = {"slug": "whole", "name": "W", "value": "input_tokens", **tokens}
        cached = {"slug": "cached", "name": "C", "value": "cached_input_tokens", **tokens}
        of = plan(component(DOLLAR, meter="whole"), component(DOLLAR, code="d", meter="cached"))
        data = {"input_tokens": 10, "cached_input_tokens": None}
        call = {"id": "1", "source": "g", "type": "llm.call", "subject": "t", "data": data}
        optional = quote(of, events=[call], meters=[whole, {**cached, "optional": True}])
        assert (optional["total"], optional["unbilled"]) == ("10.00", [])
        strict = quote(of, events=[call], meters=[whole, cached])
        assert (strict["total"], [each["meter"] for each in strict["unbilled"]]) == ("10.00", ["cached"])

    def test_of_a_slice_of_a_gpu_count_its_fraction(self):
        meter = {**HOURS, "value": {"times": ["gpu_count", "gpu_fraction"]}}
        event = {**AN_HOUR, "data": {**AN_HOUR["data"], "gpu_fraction": "0.125"}}
        of = plan(component(DOLLAR, meter="gpu_hours"))
        assert quote(of, events=[event], meters=[meter])["total"] == "1.00"
        assert quote(of, events=[AN_HOUR], meters=[meter])["total"] == "8.00"


class TestIntervals:
    """One GPU, by the second or the minute."""

    def due(self, start, end, *, period=None, **meter):
        data = {"gpu_count": 1, "start": start, "end": end}
        of = plan(component(DOLLAR, meter="gpu_hours"))
        event = {**AN_HOUR, "data": data}
        more = {} if period is None else {"period": period}
        return quote(of, events=[event], meters=[{**HOURS, **meter}], **more)["total"]

    def test_have_their_minimum_in_the_month_of_their_last_microsecond(self):
        # 30 s, at least 60, up to the month's last instant
        times = ("2026-10-31T23:59:30Z", "2026-11-01T00:00:00Z")
        assert self.due(*times, per="SECOND", minimum="60") == "60.00"

    def test_of_no_length_have_their_minimum_at_their_start(self):
        times = ("2026-10-05T10:00:00Z", "2026-10-05T10:00:00Z")
        assert self.due(*times, per="SECOND", minimum="60") == "60.00"

    def test_are_cut_at_the_months_end(self):
        # an hour and a half, of which half an hour in October; no minimum
        times = ("2026-10-31T23:30:00Z", "2026-11-01T01:00:00Z")
        assert self.due(*times, per="MINUTE") == "30.00"
        november = {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}
        assert self.due(*times, per="MINUTE", period=november) == "60.00"

    def test_are_cut_at_a_price_change_and_have_their_excess_at_the_end(self):
        # 29.5 minutes count as 30: 7 at 1, 22.5 and the 0.5 that were added at 2
        data = {"gpu_count": 1, "start": "2026-10-02T10:00:00Z", "end": "2026-10-02T10:29:30Z"}
        old, new = (
            plan(component({"model": "per_unit", "unit_amount": price}, meter="gpu_hours")) for price in "12"
        )
        segments = [
            {"from": "2026-10-01T00:00:00Z", "plan": old},
            {"from": "2026-10-02T10:07:00Z", "plan": new},
        ]
        meter = {**HOURS, "per": "MINUTE", "increment": "60"}
        answer = quote({}, events=[{**AN_HOUR, "data": data}], meters=[meter], segments=segments)
        assert answer["total"] == "53.00"


class TestNotAddedUp:
    """Seats at 20 a month: 5 on the 2nd, 7 on the 9th."""

    SEATS = {"slug": "seats", "name": "Seats", "event_type": "seats", "value": "n"}

    def due(self, aggregation, *days, **more):
        events = [
            {
                "id": day,
                "source": "s",
                "type": "seats",
                "subject": "t",
                "time": f"2026-{day}T00:00:00Z",
                "data": {"n": n},
            }
            for day, n in days
        ]
        of = plan(component({"model": "per_unit", "unit_amount": "20"}, meter="seats"))
        meter = {**self.SEATS, "aggregation": aggregation, **more}
        return quote(of, events=events, meters=[meter])["total"]

    @pytest.mark.parametrize(
        ("aggregation", "expected"),
        [
            ("LATEST", "140.00"),
            ("MAX", "140.00"),
            ("MIN", "100.00"),
            ("AVERAGE", "120.00"),
            ("UNIQUE", "40.00"),
        ],
    )
    def test_is_measured_over_the_period(self, aggregation, expected):
        assert self.due(aggregation, ("10-02", 5), ("10-09", 7)) == expected

    @pytest.mark.parametrize(
        ("aggregation", "expected"), [("LATEST", "140.00"), ("MAX", "140.00"), ("UNIQUE", "20.00")]
    )
    def test_carries_over_what_was_before_where_the_meter_says_so(self, aggregation, expected):
        assert self.due(aggregation, ("09-20", 7), carry_over=True) == expected

    def test_without_an_event_is_nothing(self):
        assert self.due("LATEST") == "0.00"


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

    def test_that_are_not_carried_over_begin_with_the_billing_period(self):
        level = {
            "slug": "gpus",
            "name": "GPUs",
            "unit": "GPU-hour",
            "event_type": "gpus",
            "aggregation": "TIME_WEIGHTED",
            "value": "n",
            "carry_over": False,
        }
        event = {
            "id": "1",
            "source": "s",
            "type": "gpus",
            "subject": "t",
            "time": "2026-10-03T00:00:00Z",
            "data": {"n": 8},
        }
        of = plan(component(DOLLAR, meter="gpus"))
        # set on the 3rd, billed from the 10th to the 20th: 8 x 240 hours
        part = {"start": "2026-10-10T00:00:00Z", "end": "2026-10-20T00:00:00Z"}
        assert quote(of, events=[event], meters=[level], billed_period=part)["total"] == "1920.00"
        before = {**event, "time": "2026-09-30T00:00:00Z"}
        assert refused(of, events=[before], meters=[level], billed_period=part) == (
            "period",
            "events[0].time",
        )
