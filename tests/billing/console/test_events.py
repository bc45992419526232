"""The list of events and the page of one."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse

from billing.console import keysets
from billing.console.events import filters
from metering.models import EventBatch, UncountedEvent, patience
from tests.billing.console import month
from tests.world import events, meters

pytestmark = pytest.mark.django_db

START = datetime(2020, 5, 14, 10, tzinfo=UTC)


def stored(count, *, subject="acme", first=0, type="llm.call", start=START):
    """So many events, a second apart from each other."""
    return events.store(
        [
            events.event(n, start + timedelta(seconds=n), {"n": n}, subject=subject, type=type)
            for n in range(first, first + count)
        ]
    )


def listed(client, query="month=2020-05"):
    return client.get(reverse("console:events") + f"?{query}")


def ids(answer):
    return [event.event_id for event in answer.context["rows"].rows]


class TestList:
    def test_shows_the_newest_first(self, owner):
        stored(3)
        assert ids(listed(owner)) == ["e2", "e1", "e0"]

    def test_holds_one_month(self, owner):
        stored(1)
        stored(1, first=1, start=datetime(2020, 4, 30, tzinfo=UTC))
        assert ids(listed(owner)) == ["e0"]
        assert ids(listed(owner, "month=2020-04")) == ["e1"]

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("subject=acme", ["e1", "e0"]),
            ("subject=ACME", []),
            ("type=gpu.usage", ["e2"]),
            ("event_id=e1", ["e1"]),
            ("subject=acme&event_id=e2", []),
        ],
    )
    def test_is_narrowed_by_exact_values(self, owner, query, found):
        stored(2)
        stored(1, subject="globex", first=2, type="gpu.usage")
        assert ids(listed(owner, f"month=2020-05&{query}")) == found

    def test_takes_typed_times_instead_of_the_month(self, owner):
        stored(3)
        query = "time_from=2020-05-14T10:00:01&time_until=2020-05-14T10:00:02&month=2019-01"
        assert ids(listed(owner, query)) == ["e1"]

    def test_refuses_an_end_before_the_start(self, owner):
        page = listed(owner, "time_from=2020-05-02T00:00&time_until=2020-05-01T00:00")
        assert "“Until” must be later than “From”." in page.content.decode()
        assert ids(page) == []

    def test_shows_the_events_of_a_batch(self, owner):
        stored(2)
        batch = stored(1, first=2)
        assert ids(listed(owner, f"batch={batch.pk}")) == ["e2"]
        assert ids(listed(owner, "batch=999999999")) == []

    def test_says_how_to_send_the_first_event(self, owner):
        assert "curl -X POST http://testserver/api/v1/events" in listed(owner).content.decode()

    def test_says_that_no_event_fits(self, owner):
        stored(1)
        assert "No event fits" in listed(owner, "month=2020-05&subject=nobody").content.decode()
        assert "No events in April 2020" in listed(owner, "month=2020-04").content.decode()

    def test_asks_for_less_when_the_database_takes_too_long(self, owner, monkeypatch):
        def sleep(*_arguments, **_options):
            with connection.cursor() as cursor:
                cursor.execute("select pg_sleep(5)")

        monkeypatch.setattr(patience, "STATEMENT_MS", 1)
        monkeypatch.setattr(filters, "apply", sleep)
        assert "That took too long" in listed(owner).content.decode()

    def test_writes_what_senders_wrote_as_text(self, owner):
        stored(1, subject="<script>alert(1)</script>")
        page = listed(owner).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page

    def test_stays_within_its_statements(self, owner, django_assert_max_num_queries):
        stored(keysets.ROWS)
        with django_assert_max_num_queries(8):
            listed(owner)


class TestPaging:
    def test_walks_to_the_oldest_and_back(self, owner):
        stored(2 * keysets.ROWS + 1)
        pages, answer = [], listed(owner)
        while True:
            pages.append(ids(answer))
            if not answer.context["rows"].older:
                break
            answer = listed(owner, answer.context["rows"].older)
        assert [len(page) for page in pages] == [keysets.ROWS, keysets.ROWS, 1]
        assert [each for page in pages for each in page] == [
            f"e{n}" for n in reversed(range(2 * keysets.ROWS + 1))
        ]
        back = listed(owner, answer.context["rows"].newer)
        assert ids(back) == pages[1]
        assert ids(listed(owner, back.context["rows"].newer)) == pages[0]

    def test_has_no_other_page_for_exactly_one(self, owner):
        stored(keysets.ROWS)
        rows = listed(owner).context["rows"]
        assert (rows.newer, rows.older) == ("", "")

    def test_stays_in_place_while_events_arrive(self, owner):
        stored(keysets.ROWS + 1)
        older = listed(owner).context["rows"].older
        stored(5, first=1000)
        assert ids(listed(owner, older)) == ["e0"]

    def test_keeps_the_filters(self, owner):
        stored(keysets.ROWS + 1)
        assert "subject=acme" in listed(owner, "month=2020-05&subject=acme").context["rows"].older

    def test_takes_a_cursor_that_cannot_be_read_for_none(self, owner):
        stored(1)
        assert ids(listed(owner, "month=2020-05&older_than=yesterday_x")) == ["e0"]


class TestEvent:
    def opened(self, client, event):
        return client.get(reverse("console:event", args=[events.key_of(event)])).content.decode()

    def test_shows_every_digit_that_it_carried(self, owner):
        number = Decimal("0.1234567890123456789012345")
        event = events.event(1, START, {"cost": number})
        events.store([event])
        assert "0.1234567890123456789012345" in self.opened(owner, event)

    def test_names_who_pays(self, owner):
        month.used()
        event = events.event(1, START, {"n": 1}, subject="acme")
        stranger = events.event(2, START, {"n": 1}, subject="nobody")
        events.store([event, stranger])
        assert "Acme 北京" in self.opened(owner, event)
        assert "Nobody pays for this subject" in self.opened(owner, stranger)

    def test_names_the_meters_that_could_not_count_it(self, owner):
        event = events.event(1, START, {"n": 1})
        events.store([event])
        UncountedEvent.objects.create(
            meter_version=meters.meter("calls"),
            key=events.key_of(event),
            time=START,
            subject="acme",
            reason="tokens is no number",
        )
        assert "could not count this event: tokens is no number" in self.opened(owner, event)

    def test_leads_to_its_batch(self, owner):
        event = events.event(1, START, {"n": 1})
        batch = events.store([event])
        assert reverse("admin:metering_eventbatch_change", args=[batch.pk]) in self.opened(owner, event)
        assert EventBatch.objects.count() == 1
