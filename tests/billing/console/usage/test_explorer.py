"""The usage explorer: what it shows of whom, the way to the events, the file, and its bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import subscribing
from billing.console.usage import figures, lines
from metering import defining
from metering.models import EventKey, patience
from metering.periods import Period
from tests.billing.console import month
from tests.world import catalog, events, meters

pytestmark = pytest.mark.django_db

OCTOBER = catalog.OCTOBER
TEN = datetime(2026, 10, 5, 10, 7, tzinfo=UTC)
STATEMENTS_MAX = 14


@pytest.fixture
def calls():
    """Five calls of three subjects: tenant-1 and tenant-2 are acme's, tenant-2 from 6 October on."""
    meters.meter("calls", dimensions={"model": "model"}, unit="call")
    acme = catalog.customer("acme")
    sixth = datetime(2026, 10, 6, tzinfo=UTC)
    for subject, since in (("tenant-1", OCTOBER.start), ("tenant-2", sixth)):
        validity = Period(since, sixth + timedelta(days=365))
        subscribing.assign_subject(customer=acme, subject=subject, validity=validity, subscription=None)
    day = timedelta(days=1)
    store(
        (TEN, "tenant-1", "gpt"),
        (TEN + day, "tenant-1", "通义千问"),
        (TEN, "tenant-2", "gpt"),
        (TEN + day, "tenant-2", "gpt"),
        (TEN, "stranger", ""),
    )


def store(*calls):
    first = EventKey.objects.count()
    events.store(
        [
            events.event(n, time, {"model": model}, subject=subject)
            for n, (time, subject, model) in enumerate(calls, start=first)
        ]
    )


def ask(client, query="", name="console:usage"):
    return client.get(f"{reverse(name)}?month=2026-10&{query}")


def rows(answer):
    """(window, value of the split, quantity, events) of each line."""
    return [
        (line.window, line.value, line.quantity, line.count) for line in answer.context.get("lines") or []
    ]


@pytest.mark.usefixtures("calls")
class TestExplorer:
    def test_opens_with_the_first_meter_by_day(self, owner):
        answer = ask(owner)
        assert rows(answer) == [("05 Oct 2026", "", "3", 3), ("06 Oct 2026", "", "2", 2)]
        assert (answer.context["total"], answer.context["answer"].events) == ("5", 5)

    def test_splits_by_a_dimension(self, owner):
        assert rows(ask(owner, "split=model&window=MONTH")) == [
            ("Oct 2026", "", "1", 1),
            ("Oct 2026", "gpt", "3", 3),
            ("Oct 2026", "通义千问", "1", 1),
        ]

    def test_of_a_customer_counts_only_what_they_pay_for(self, owner):
        # What tenant-2 used on 5 October was not acme's yet.
        assert rows(ask(owner, "customer=acme&split=subject")) == [
            ("05 Oct 2026", "tenant-1", "1", 1),
            ("06 Oct 2026", "tenant-1", "1", 1),
            ("06 Oct 2026", "tenant-2", "1", 1),
        ]
        assert rows(ask(owner, "customer=acme&subject=tenant-2")) == [("06 Oct 2026", "", "1", 1)]

    def test_of_a_subject(self, owner):
        assert rows(ask(owner, "subject=stranger")) == [("05 Oct 2026", "", "1", 1)]

    def test_cuts_windows_and_months_by_the_zones_clock(self, owner):
        zone = "window=QUARTER&zone=Asia/Kathmandu&subject=stranger"
        assert rows(ask(owner, zone)) == [("05 Oct 15:45", "", "1", 1)]
        period = ask(owner, zone).context["period"]
        assert period.start == datetime(2026, 9, 30, 18, 15, tzinfo=UTC)

    def test_takes_typed_times_before_the_month(self, owner):
        times = "time_from=2026-10-06T00:00&time_until=2026-10-06T10:07:00.000001"
        answer = ask(owner, times)
        assert rows(answer) == [("06 Oct 2026", "", "2", 2)]
        assert not answer.context["is_about_month"]

    def test_draws_the_largest_and_adds_up_the_others(self, owner):
        store(*[(TEN, "many", f"model-{n:02}") for n in range(12)])
        store(*[(TEN, "many", "model-00")] * 2)
        chart = ask(owner, "meter=calls&subject=many&split=model&window=MONTH").context["chart"]
        assert [each["name"] for each in chart["series"]][:2] == ["model-00", "model-01"]
        assert (len(chart["series"]), chart["series"][-1]) == (11, {"name": "2 others", "values": [2.0]})

    def test_draws_every_window_of_the_time(self, owner):
        chart = ask(owner).context["chart"]
        assert (len(chart["labels"]), chart["labels"][4]) == (31, "05 Oct 2026")
        assert chart["series"] == [{"name": "call", "values": [*[None] * 4, 3.0, 2.0, *[None] * 25]}]

    def test_adds_up_nothing_that_does_not_add_up(self, owner):
        meters.meter("models", "UNIQUE", value="model", dimensions={"model": "model"})
        answer = ask(owner, "meter=models&subject=tenant-1")
        assert rows(answer) == [("05 Oct 2026", "", "1", 1), ("06 Oct 2026", "", "1", 1)]
        assert answer.context["total"] == "2"
        assert ask(owner, "meter=models&customer=acme").context["total"] == "2"
        store(*[(TEN, "many", f"model-{n:02}") for n in range(12)])
        chart = ask(owner, "meter=models&subject=many&split=model&window=MONTH").context["chart"]
        assert (len(chart["series"]), chart["left_out"], chart["is_stacked"]) == (10, 2, False)

    def test_writes_no_script_of_names(self, owner):
        store((TEN, "</script><b>", "</script><script>alert(1)</script>"))
        page = ask(owner, "split=model").content.decode()
        assert "<script>alert" not in page
        assert "&lt;/script&gt;" in page

    def test_says_that_an_archived_meter_is(self, owner):
        defining.archive(slug="calls", at=TEN)
        assert ">archived<" in ask(owner).content.decode()


@pytest.mark.usefixtures("calls")
class TestEvents:
    def behind(self, client, query):
        """The ids of the events on the page that the first line leads to."""
        line = ask(client, query).context["lines"][0]
        answer = client.get(line.events)
        return sorted(event.event_id for event in answer.context["rows"].rows)

    def test_are_those_of_the_window(self, owner):
        assert self.behind(owner, "window=HOUR") == ["e0", "e2", "e4"]

    def test_are_those_of_the_subject(self, owner):
        assert self.behind(owner, "split=subject") == ["e4"]
        assert self.behind(owner, "subject=tenant-1") == ["e0"]

    def test_are_those_with_the_value_of_the_dimension(self, owner):
        store((TEN, "tenant-9", "a&b"), (TEN, "tenant-9", ""))
        asked = "split=model&window=MONTH&subject=tenant-9"
        lines = ask(owner, asked).context["lines"]
        assert [line.value for line in lines] == ["", "a&b"]
        found = [owner.get(line.events).context["rows"].rows for line in lines]
        assert [[event.data["model"] for event in rows] for rows in found] == [[""], ["a&b"]]

    def test_end_where_the_time_does(self, owner):
        times = "time_from=2026-10-05T10:00&time_until=2026-10-05T10:07"
        store((TEN - timedelta(minutes=1), "early", ""))
        assert (
            ask(owner, times)
            .context["lines"][0]
            .events.endswith("time_from=2026-10-05T10%3A00&time_until=2026-10-05T10%3A07")
        )
        assert self.behind(owner, times) == ["e5"]

    def test_of_several_subjects_are_found_through_each(self, owner):
        line = ask(owner, "customer=acme").context["lines"][0]
        assert line.events == ""
        query = parse_qs(urlsplit(line.by_subject).query)
        assert (query["split"], query["customer"], query["time_from"]) == (
            ["subject"],
            ["acme"],
            ["2026-10-05T00:00"],
        )
        assert rows(owner.get(reverse("console:usage") + line.by_subject)) == [
            ("05 Oct 2026", "tenant-1", "1", 1)
        ]


@pytest.mark.usefixtures("calls")
class TestFile:
    def test_has_all_rows_with_all_digits(self, owner):
        answer = ask(owner, "split=model&window=MONTH", "console:usage_csv")
        assert answer["content-disposition"] == ('attachment; filename="usage-calls-20261001-20261101.csv"')
        assert answer.content.decode() == (
            "window_start,window_end,model,quantity,quantity_exact,events\r\n"
            "2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,,1,,1\r\n"
            "2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,gpt,3,,3\r\n"
            "2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,通义千问,1,,1\r\n"
        )

    def test_has_no_formula(self, owner):
        store((TEN, "s", "=1+1"))
        assert ",'=1+1," in ask(owner, "split=model", "console:usage_csv").content.decode()

    @pytest.mark.parametrize(
        "query", ["customer=nobody", "window=QUARTER&time_from=2026-01-01T00:00&time_until=2026-12-01T00:00"]
    )
    def test_that_cannot_be_leads_back_to_the_page(self, owner, query):
        answer = ask(owner, query, "console:usage_csv")
        assert (answer.status_code, answer.url.startswith("../?month=2026-10&")) == (302, True)


class TestBounds:
    @pytest.mark.usefixtures("calls")
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("customer=nobody", "no customer with the key"),
            ("split=region", "has no dimension “region”"),
            ("zone=Mars/Base", "no IANA time zone"),
            ("window=YEAR", "Select a valid choice"),
            ("meter=nothing", "Select a valid choice"),
            ("time_from=2026-10-05T00:00", "Give both"),
            ("time_from=2026-10-05T00:00&time_until=2026-10-05T00:00", "must be later"),
            ("time_from=2026-01-01T00:00&time_until=2026-12-01T00:00&window=HOUR", "more than 3,000 windows"),
            ("time_from=9999-12-01T00:00&time_until=9999-12-31T23:59", "from 1970 to 2200"),
            ("time_from=2010-01-01T00:00&time_until=2026-12-01T00:00&window=MONTH", "ten years"),
        ],
    )
    def test_are_said_on_the_page(self, owner, query, words):
        answer = ask(owner, query)
        assert (answer.status_code, words in answer.content.decode()) == (200, True)
        assert rows(answer) == []

    def test_of_rows_are_said_on_the_page(self, owner, calls, monkeypatch):
        monkeypatch.setattr(figures, "ROWS_MAX", 1)
        assert "has 2 rows, more than 1" in ask(owner).content.decode()

    def test_of_time_are_said_on_the_page(self, owner, calls, monkeypatch):
        monkeypatch.setattr(patience, "STATEMENT_MS", 1)
        slow = figures.usage.subjects

        def subjects(**question):
            with connection.cursor() as cursor:
                cursor.execute("select pg_sleep(1)")
            return slow(**question)

        monkeypatch.setattr(figures.usage, "subjects", subjects)
        assert "more usage than can be read" in ask(owner).content.decode()

    def test_the_table_shows_the_first_rows(self, owner, calls, monkeypatch):
        monkeypatch.setattr(lines, "SHOWN_MAX", 1)
        answer = ask(owner)
        assert len(rows(answer)) == 1
        assert "The first 1 of 2 rows" in answer.content.decode()

    def test_statements_do_not_grow_with_the_rows(self, owner, calls):
        def statements(query):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                assert ask(owner, query).status_code == 200
            return len(asked)

        before = statements("split=subject&window=HOUR"), statements("customer=acme&split=model")
        many = [(TEN + timedelta(hours=n), f"s{n}", f"m{n}") for n in range(60)]
        store(*many)
        for n in range(20):
            meters.meter(f"more_{n}")
            catalog.customer(f"customer-{n}")
        assert (
            statements("meter=calls&split=subject&window=HOUR"),
            statements("meter=calls&customer=acme&split=model"),
        ) == before
        assert max(before) <= STATEMENTS_MAX


class TestEmpty:
    def test_without_meters_says_how_to_begin(self, owner):
        assert "Define a meter" in ask(owner).content.decode()
        assert ask(owner, name="console:usage_csv").status_code == 302

    def test_without_usage_names_the_type_of_the_events(self, owner):
        meters.meter("silent", event_type="never")
        page = ask(owner).content.decode()
        assert "silent counted nothing in October 2026" in page
        assert "never" in page


class TestPermissions:
    def test_show_customers_only_to_who_may_see_them(self, client, calls):
        client.force_login(month.clerk("metering.view_usageseries"))
        assert list(ask(client).context["customers"]) == []
