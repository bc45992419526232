"""The small parts that pages are made of."""

import json
import shlex
from datetime import UTC, date, datetime

import pytest
import yaml
from django.http import QueryDict

from billing.console import curl, months, places
from billing.documents import texts
from billing.models import CustomerSubject
from metering import measures
from metering.documents import meter
from metering.models import UsageRevision
from tests.billing.console import month
from tests.billing.exports import sample
from tests.world import meters

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


class TestMonth:
    def test_is_the_one_in_the_address(self):
        chosen = months.chosen(QueryDict("month=2020-12"), at=NOW)
        assert (chosen.text, chosen.title, chosen.previous, chosen.next) == (
            "2020-12",
            "December 2020",
            "2020-11",
            "2021-01",
        )
        assert (chosen.period.start, chosen.period.end) == (
            datetime(2020, 12, 1, tzinfo=UTC),
            datetime(2021, 1, 1, tzinfo=UTC),
        )

    def test_has_no_next_one_in_the_future(self):
        assert months.of(date(2026, 11, 1), at=NOW).next == ""
        assert months.of(date(2026, 10, 1), at=NOW).next == "2026-11"

    def test_has_none_before_events_are_taken(self):
        assert months.of(date(2000, 1, 1), at=NOW).previous == ""

    @pytest.mark.django_db
    @pytest.mark.parametrize(
        "query", ["", "month=", "month=2020-13", "month=20-05", "month=1999-01", "month=٢٠٢٠-٠٥"]
    )
    def test_is_that_of_the_clock_where_nothing_is_known(self, query):
        assert months.chosen(QueryDict(query), at=NOW).text == "2026-11"

    @pytest.mark.django_db
    def test_is_the_last_with_usage_but_none_in_the_future(self):
        version = meters.meter("calls")
        for first in (date(2020, 5, 1), date(2026, 12, 1)):
            UsageRevision.objects.create(meter_version=version, subject="a", month=first, revision=1)
        assert months.last_with_usage(at=NOW) == date(2020, 5, 1)

    @pytest.mark.django_db
    def test_is_the_last_invoiced_where_there_is_no_usage(self):
        sample.draft(lines=[sample.calls()])
        assert months.last_with_usage(at=NOW) == date(2020, 5, 1)


class TestPlace:
    TEXT = "code: p\ncomponents:\n  - code: a\n  - code: b\n    price:\n      tiers:\n        - {upto: 1}\n"

    @pytest.mark.parametrize(
        ("field", "line"),
        [
            ("plan.code", 1),
            ("plan.components[1].price.tiers[0].upto", 7),
            ("plan.components[1].price.model", 5),
            ("plan.components[7]", 2),
            ("plan", 1),
            ("", 1),
        ],
    )
    def test_is_the_line_of_the_path_or_of_what_should_hold_it(self, field, line):
        assert places.line(self.TEXT, field) == line

    def test_is_found_in_json_and_in_a_list_of_one(self):
        assert places.line('[\n {\n  "code": 1\n }\n]', "plan.code") == 3

    def test_is_the_second_of_two_equal_keys(self):
        assert places.line("code: a\nname: b\ncode: c\n", "plan.code") == 3

    @pytest.mark.parametrize("text", ["", "a: [", "x" * 100_001])
    def test_is_unknown_in_what_cannot_be_read(self, text):
        assert places.line(text, "plan.code") is None


class TestText:
    def test_has_the_keys_in_the_order_of_people(self):
        document = {
            "components": [{"price": {"amount": "1", "model": "flat"}, "code": "a"}],
            "zone": "z",
            "code": "p",
        }
        assert texts.of(document) == (
            "code: p\ncomponents:\n- code: a\n  price:\n    model: flat\n    amount: '1'\nzone: z\n"
        )

    def test_means_the_same_when_read_again(self):
        document = month.hybrid()
        assert yaml.safe_load(texts.of(document)) == document

    def test_keeps_decimals_as_text(self):
        assert texts.of({"amount": "0.10"}) == "amount: '0.10'\n"


@pytest.mark.django_db
class TestFirstEvent:
    def sent(self, rf):
        words = shlex.split(curl.first_event(rf.get("/console/"), key="mb_x_y").replace("\\\n", " "))
        assert words[:4] == ["curl", "-X", "POST", "http://testserver/api/v1/events"]
        assert words[words.index("-H") + 1] == "Authorization: Bearer mb_x_y"
        return json.loads(words[-1])

    def test_is_a_usual_one_where_there_is_no_meter(self, rf):
        event = self.sent(rf)
        assert (event["type"], event["subject"]) == ("llm.call", "acme")

    def test_takes_a_subject_that_somebody_pays_for(self, rf):
        CustomerSubject.objects.create(
            customer=sample.customer(), subject="it's mine", validity=(datetime(2020, 1, 1, tzinfo=UTC), None)
        )
        assert self.sent(rf)["subject"] == "it's mine"

    @pytest.mark.parametrize(
        "fields",
        [
            {"aggregation": "COUNT"},
            {"aggregation": "COUNT", "where": {"usage.tier": ["flex", "batch"]}},
            {"aggregation": "SUM", "value": "usage.total"},
            {
                "aggregation": "SUM",
                "value": {"plus": ["a", "b"], "minus": ["c"]},
                "dimensions": {"model": "m"},
            },
            {"aggregation": "SUM", "value": "a", "dimensions": {"size": {"path": "a", "ranges": ["10"]}}},
            {"aggregation": "DURATION", "value": {"times": ["n", "m"]}, "start": "from", "end": "till"},
            {"aggregation": "DURATION", "dimensions": {"gpu": "gpu"}},
        ],
    )
    def test_is_one_that_the_newest_meter_counts(self, rf, fields):
        meters.meter("older", "COUNT", "other.type")
        version = meters.meter("newest", event_type="my.type", **fields)
        sent = self.sent(rf)
        definition = meter.parse(version.document)
        event = measures.Event(
            id=sent["id"],
            source=sent["source"],
            type=sent["type"],
            subject=sent["subject"],
            time=NOW,
            data=sent["data"],
        )
        assert isinstance(measures.usable(definition, event), measures.Contribution)
