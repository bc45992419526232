from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from metering import ingesting
from tests.metering.ingesting.facts import AT, draft, screened


def screen(**members: object) -> ingesting.Fact | ingesting.Refusal:
    return screened(draft(**members))[0]


def microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class TestScreen:
    def test_makes_a_fact(self):
        fact = screen(id="a-1", extensions={"traceparent": b'"00-1"'})
        assert isinstance(fact, ingesting.Fact)
        assert (fact.source, fact.id, fact.type, fact.subject) == ("gateway", "a-1", "llm.call", "acme")
        assert fact.time == microseconds("2026-10-05T11:00:00+00:00")
        assert fact.data == b'{"input_tokens": 12}'
        assert fact.extensions == b'{"traceparent":"00-1"}'

    def test_cuts_a_time_to_microseconds(self):
        fact = screen(time="2026-09-30T23:59:59.9999999Z")
        assert fact.time == microseconds("2026-09-30T23:59:59.999999+00:00")

    def test_takes_a_naive_time_as_utc(self):
        assert screen(time="2026-10-05T11:00:00").time == screen(time="2026-10-05T13:00:00+02:00").time

    def test_gives_an_event_without_time_that_of_its_receipt(self):
        assert screen(time=None).time == microseconds("2026-10-05T12:00:00+00:00")

    def test_keeps_an_absent_time_absent_in_the_content(self):
        [now, later] = (screened(draft(time=None), at=at)[0] for at in (AT, AT + timedelta(days=40)))
        stated = screen(time="2026-10-05T12:00:00Z")
        assert now.content == later.content != stated.content

    def test_leaves_extensions_out_of_the_content(self):
        assert screen(extensions={"traceparent": b'"1"'}).content == screen().content

    @pytest.mark.parametrize("name", ["id", "source", "type", "subject"])
    @pytest.mark.parametrize("value", [None, "", 5, [], "a\0b"])
    def test_refuses_a_missing_or_wrong_attribute(self, name, value):
        refusal = screen(**{name: value})
        assert (refusal.code, refusal.message.split()[0]) == ("invalid", name)

    @pytest.mark.parametrize("name", ["id", "source", "type", "subject"])
    def test_bounds_the_attributes(self, name):
        assert isinstance(screen(**{name: "é" * 512}), ingesting.Fact)
        assert screen(**{name: "é" * 512 + "x"}).code == "too_large"

    @pytest.mark.parametrize(
        "time", ["2000-01-01T00:00:00Z", "2000-01-01T01:00:00+01:00", "2026-10-06T12:00:00Z"]
    )
    def test_takes_a_time_at_the_bound(self, time):
        assert isinstance(screen(time=time), ingesting.Fact)

    @pytest.mark.parametrize(
        "time",
        [
            "1999-12-31T23:59:59.999999Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "2026-10-06T12:00:00.000001Z",
        ],
    )
    def test_refuses_a_time_past_the_bound(self, time):
        assert screen(time=time).code == "time"

    @pytest.mark.parametrize(
        "time", ["yesterday", "2026-10-05", "2026-10-05T23:59:60Z", "2026-10-05T24:00:00Z", 1790812800, ""]
    )
    def test_refuses_what_is_no_time(self, time):
        assert screen(time=time).code == "invalid"

    @pytest.mark.parametrize("data", [b"[]", b'"text"', b"5", b"{", b'{"a": "\\u0000"}', b'{"a": 1e-20000}'])
    def test_refuses_data_that_are_no_storable_object(self, data):
        refusal = screen(data=data)
        assert (refusal.code, refusal.message[:4]) == ("invalid", "data")

    def test_refuses_an_extension_that_cannot_be_stored(self):
        assert screen(extensions={"trace": b'"\\u0000"'}).code == "invalid"

    def test_refuses_an_event_past_the_size(self):
        assert isinstance(screen(size=65_536), ingesting.Fact)
        assert screen(size=65_537).code == "too_large"

    def test_refuses_voids_by_name(self):
        refusal = screen(type="meterbook.void")
        assert (refusal.code, refusal.message.split(":")[0]) == ("invalid", "voids are not built yet")

    def test_keeps_what_was_refused_as_an_event_to_mend(self):
        refusal = screen(subject=None, extensions={"region": b'"eu"'})
        assert msgspec.json.decode(refusal.body) == {
            "specversion": "1.0",
            "id": "1",
            "source": "gateway",
            "type": "llm.call",
            "time": "2026-10-05T11:00:00Z",
            "region": "eu",
            "data": {"input_tokens": 12},
        }
