"""/api/v1/meters/{slug}/query behind the door: windows, splits, filters, numbers, CSV, refusals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from metering.api import query
from metering.models import patience
from metering.usage import totals
from tests.metering.door.deliveries import new_key
from tests.world import meters
from tests.world.events import event, store

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 10, 5, 10, tzinfo=UTC)
DAY = {"from": "2026-10-05T00:00:00Z", "to": "2026-10-06T00:00:00Z"}


@pytest.fixture
def tokens():
    """Four calls: acme's 1.5 and 2 with gpt, 4 with 通义; globex's 8 with gpt, an hour later."""
    meters.meter("tokens", "SUM", value="n", dimensions={"model": "model"})
    store(
        [
            event(1, TEN, {"n": Decimal("1.5"), "model": "gpt"}),
            event(2, TEN.replace(minute=59), {"n": 2, "model": "gpt"}),
            event(3, TEN, {"n": 4, "model": "通义"}),
            event(4, TEN.replace(hour=11), {"n": 8, "model": "gpt"}, subject="globex"),
        ]
    )


@pytest.fixture
def raw(client):
    """Asks in the address: the response."""

    def asked(slug="tokens", accept="application/json", **parameters):
        key = new_key("read")
        headers = {"authorization": f"Bearer {key}", "accept": accept}
        return client.get(f"/api/v1/meters/{slug}/query", parameters, headers=headers)

    return asked


@pytest.fixture
def ask(raw):
    """Asks in the address about 5 October 2026: (status, body)."""

    def asked(slug="tokens", **parameters):
        answer = raw(slug, **{**DAY, **parameters})
        return answer.status_code, answer.json()

    return asked


@pytest.fixture
def post(client):
    """Asks in a body: (status, body)."""

    def asked(body):
        answer = client.post(
            "/api/v1/meters/tokens/query",
            json.dumps(body),
            content_type="application/json",
            headers={"authorization": f"Bearer {new_key('read')}"},
        )
        return answer.status_code, answer.json()

    return asked


def values(answer, *names):
    """(value, the named dimensions ...) of each row."""
    status, body = answer
    assert status == 200, body
    return [
        (row["value"], *(row["subject"] if name == "subject" else row["groupBy"][name] for name in names))
        for row in body["data"]
    ]


@pytest.mark.usefixtures("tokens")
class TestQuery:
    def test_adds_up_the_period(self, ask):
        assert ask() == (
            200,
            {
                "from": "2026-10-05T00:00:00Z",
                "to": "2026-10-06T00:00:00Z",
                "windowSize": None,
                "data": [
                    {
                        "value": 15.5,
                        "windowStart": "2026-10-05T00:00:00Z",
                        "windowEnd": "2026-10-06T00:00:00Z",
                        "subject": None,
                        "groupBy": {},
                    }
                ],
            },
        )

    def test_cuts_windows_of_the_zones_clock(self, ask):
        status, body = ask(windowSize="HOUR", windowTimeZone="Asia/Kolkata")
        assert status == 200
        assert [(row["value"], row["windowStart"], row["windowEnd"]) for row in body["data"]] == [
            (5.5, "2026-10-05T09:30:00Z", "2026-10-05T10:30:00Z"),
            (10, "2026-10-05T10:30:00Z", "2026-10-05T11:30:00Z"),
        ]

    @pytest.mark.parametrize(
        ("size", "start"),
        [
            ("QUARTER_HOUR", "2026-10-05T10:00:00Z"),
            ("DAY", "2026-10-05T00:00:00Z"),
            ("WEEK", "2026-10-05T00:00:00Z"),
            ("MONTH", "2026-10-01T00:00:00Z"),
        ],
    )
    def test_knows_each_window(self, ask, size, start):
        assert ask(windowSize=size)[1]["data"][0]["windowStart"] == start

    def test_splits_by_dimensions_and_subject(self, ask):
        assert values(ask(groupBy=["model", "subject"]), "model", "subject") == [
            (3.5, "gpt", "acme"),
            (8, "gpt", "globex"),
            (4, "通义", "acme"),
        ]

    def test_of_named_subjects_is_split_by_them(self, ask):
        assert values(ask(subject=["globex", "acme", "nobody"]), "subject") == [
            (7.5, "acme"),
            (8, "globex"),
        ]

    def test_keeps_only_the_filtered_values(self, ask):
        assert values(ask(**{"filterGroupBy[model]": "gpt"})) == [(11.5,)]
        assert values(ask(**{"filterGroupBy[model]": ["gpt", "通义"]})) == [(15.5,)]
        assert values(ask(**{"filterGroupBy[model]": "gpt", "groupBy": "subject"}), "subject") == [
            (3.5, "acme"),
            (8, "globex"),
        ]
        assert values(ask(**{"filterGroupBy[model]": "通义", "groupBy": "model"}), "model") == [(4, "通义")]
        assert values(ask(**{"filterGroupBy[model]": "llama"})) == []

    def test_without_bounds_goes_back_ten_years(self, raw):
        body = raw().json()
        # The clock may stand before these events.
        assert [row["value"] for row in body["data"]] in ([15.5], [])
        start, end = (datetime.fromisoformat(body[name]) for name in ("from", "to"))
        assert (end - start).days == 3660

    def test_takes_the_same_in_a_body(self, ask, post):
        body = {**DAY, "windowSize": "DAY", "groupBy": ["model"], "subject": ["acme"]}
        address = {"windowSize": "DAY", "groupBy": "model", "subject": "acme"}
        assert post(body) == ask(**address)
        assert values(post({**DAY, "subject": "acme", "filterGroupBy": {"model": "gpt"}})) == [(3.5,)]

    def test_of_nothing_has_no_rows(self, ask):
        meters.meter("silent", event_type="never")
        assert ask("silent")[1]["data"] == []


class TestNumbers:
    def store(self, number):
        meters.meter("tokens", "SUM", value="n")
        store([event(1, TEN, {"n": Decimal(number)})])

    def test_keep_every_digit(self, raw, ask):
        self.store("12345678901234567890.123456789012345678")
        assert b'"value":12345678901234567890.123456789012345678,' in raw(**DAY).content
        assert values(ask(numbers="string")) == [("12345678901234567890.123456789012345678",)]

    def test_that_do_not_end_come_with_their_fraction(self, ask):
        meters.meter("hours", "DURATION")
        store([event(1, TEN, {"start": "2026-10-05T10:00:00Z", "end": "2026-10-05T10:20:00Z"})])
        [row] = ask("hours", numbers="string")[1]["data"]
        assert (row["value"], row["valueExact"]) == ("0.333333333333", "1/3")
        [row] = ask("hours")[1]["data"]
        assert (row["value"], row["valueExact"]) == (0.333333333333, "1/3")


@pytest.mark.usefixtures("tokens")
class TestCsv:
    def test_has_a_column_for_each_split(self, raw):
        answer = raw(accept="text/csv", groupBy="model", subject="acme", windowSize="DAY", **DAY)
        assert answer["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.decode() == (
            "window_start,window_end,model,subject,value,value_exact\r\n"
            "2026-10-05T00:00:00Z,2026-10-06T00:00:00Z,gpt,acme,3.5,\r\n"
            "2026-10-05T00:00:00Z,2026-10-06T00:00:00Z,通义,acme,4,\r\n"
        )

    def test_leaves_errors_as_they_are(self, raw):
        answer = raw(accept="text/csv", windowSize="YEAR")
        assert (answer.status_code, answer["content-type"]) == (400, "application/problem+json")
        assert answer.json()["errors"][0]["field"] == "windowSize"

    def test_is_the_only_other_kind(self, raw):
        assert raw(accept="text/html").status_code == 406


@pytest.mark.usefixtures("tokens")
class TestRefusals:
    @pytest.mark.parametrize(
        ("parameters", "field", "words"),
        [
            ({"windowSize": "MINUTE"}, "windowSize", "no windows of a MINUTE"),
            ({"windowSize": "day"}, "windowSize", "QUARTER_HOUR, HOUR, DAY, WEEK, MONTH"),
            ({"windowTimeZone": "Mars/Base"}, "windowTimeZone", "no IANA time zone"),
            ({"groupBy": "modell"}, "groupBy", "it has model, subject"),
            ({"filterGroupBy[modell]": "x"}, "filterGroupBy", "it has model"),
            ({"filterGroupBy[subject]": "x"}, "filterGroupBy", "with `subject`"),
            ({"clientId": "x"}, "clientId", "no such parameter"),
            ({"filterGroupBy": "x"}, "filterGroupBy", ""),
            ({"subject": ["acme", ""]}, "subject", ""),
            ({"to": DAY["from"]}, "to", "later than `from`"),
            ({"to": ["2026-10-06T00:00:00Z", "2026-10-07T00:00:00Z"]}, "to", "twice"),
            ({"from": "2016-01-01T00:00:00Z"}, "from", "at most 10 years"),
            ({"to": "9999-12-31T23:59:59Z"}, "to", "from 1970 to 2200"),
            ({"from": "0001-01-01T00:00:00Z"}, "from", "from 1970 to 2200"),
            ({"from": "yesterday"}, "from", "no instant"),
            ({"numbers": "float"}, "numbers", ""),
        ],
    )
    def test_name_the_parameter(self, ask, parameters, field, words):
        status, problem = ask(**parameters)
        assert (status, [each["field"] for each in problem["errors"]]) == (400, [field])
        assert words in problem["errors"][0]["message"]

    def test_of_filters_that_would_merge_what_does_not_add_up(self, ask):
        meters.meter("largest", "MAX", value="n", dimensions={"model": "model"})
        assert values(ask("largest", **{"filterGroupBy[model]": "gpt"})) == [(8,)]
        status, problem = ask("largest", **{"filterGroupBy[model]": ["gpt", "通义"]})
        assert (status, problem["errors"][0]["field"]) == (400, "filterGroupBy")

    @pytest.mark.parametrize(
        "body",
        [
            [],
            "tokens",
            {"subject": []},
            {"subject": ["\ud800"]},
            {"subject": ["a\0"]},
            {"groupBy": {"a": 1}},
            {"form": 1},
        ],
    )
    def test_of_a_body_too(self, post, body):
        assert post(body)[0] == 400

    def test_say_how_to_narrow_what_is_too_large(self, ask, monkeypatch):
        monkeypatch.setattr(query, "ROWS_MAX", 2)
        assert len(ask(groupBy="subject")[1]["data"]) == 2
        status, problem = ask(groupBy=["subject", "model"])
        assert (status, "3 rows, more than 2" in problem["detail"]) == (422, True)
        status, problem = ask(windowSize="QUARTER_HOUR", **{"from": "2020-01-01T00:00:00Z"})
        assert (status, "more than 50000 windows" in problem["detail"]) == (422, True)

    def test_say_how_to_narrow_what_is_too_slow(self, ask, monkeypatch):
        monkeypatch.setattr(patience, "STATEMENT_MS", 1)
        slow = "select true, array[]::text[], null::int, 1, 1 from pg_sleep(1)"
        monkeypatch.setattr(totals.statement, "build", lambda **question: totals.statement.sql(slow))
        status, problem = ask(subject="acme")
        assert (status, "`from` and `to`" in problem["detail"]) == (422, True)

    def test_of_a_key_that_may_not_read(self, client):
        headers = {"authorization": f"Bearer {new_key('ingest')}"}
        assert client.get("/api/v1/meters/tokens/query", headers=headers).status_code == 403
        assert client.get("/api/v1/meters/tokens/query").status_code == 401

    def test_of_a_meter_that_is_not_there(self, ask):
        assert ask("nothing")[0] == 404
