"""Rejected events on the console: found, mended and replayed, discarded, never lost."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from metering import ingesting
from metering.console.quarantine import pages, settling
from metering.models import Event, EventBatch, RejectedEvent
from tests.billing.console import month
from tests.metering.ingesting import facts
from tests.world import meters

LIST = "/console/quarantine/"
LATER = facts.AT + timedelta(days=3)


@pytest.fixture
def sender(transactional_db):
    return facts.new_sender()


def refuse(sender, *drafts, at=facts.AT, judge=lambda *_: None):
    """Sends the drafts; the rows of those that were turned away, the newest last."""
    ingesting.record([facts.submission(sender, drafts, at=at, judge=judge)])
    return list(RejectedEvent.objects.order_by("pk"))


def address(row):
    return reverse("quarantine:event", args=[row.pk])


def body_of(row, **changes):
    return json.dumps(json.loads(row.body) | changes)


def listed(client, **query):
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return [row.pk for row in answer.context["rows"].rows]


class TestList:
    def test_says_that_there_is_nothing(self, owner):
        assert "Every event that arrived was accepted" in owner.get(LIST).content.decode()
        assert "None was discarded yet" in owner.get(LIST + "?state=discarded").content.decode()

    def test_shows_the_last_seen_first(self, owner, sender):
        refuse(sender, facts.draft("a", subject=None))
        refuse(sender, facts.draft("b", subject=None), at=LATER)
        a, b = refuse(sender, facts.draft("a", subject=None), at=LATER + timedelta(hours=1))
        assert listed(owner) == [a.pk, b.pk]
        assert a.count == 2

    def test_is_narrowed_by_each_filter(self, owner, sender):
        other = facts.new_sender("other")
        refuse(sender, facts.draft("a", subject=None))
        refuse(sender, facts.draft("b", time="1999-01-01T00:00:00Z", type="gpu.usage"), at=LATER)
        a, b, c = refuse(other, facts.draft("c", subject=None), at=LATER)
        assert listed(owner, code="time") == [b.pk]
        assert listed(owner, type="gpu.usage") == [b.pk]
        assert listed(owner, sender=f"key-{other.api_key_id}") == [c.pk]
        assert listed(owner, seen_until="2026-10-06T00:00") == [a.pk]
        assert listed(owner, seen_from="2026-10-06T00:00") == [c.pk, b.pk]
        assert listed(owner, code="time", type="llm.call") == []

    def test_names_a_wrong_filter(self, owner):
        page = owner.get(LIST, {"seen_from": "2026-10-07T00:00", "seen_until": "2026-10-06T00:00"})
        assert "must be later" in page.content.decode()

    def test_is_paged_by_key_in_both_directions(self, owner, sender, monkeypatch):
        monkeypatch.setattr(pages, "ROWS", 2)
        rows = refuse(sender, *[facts.draft(str(n), subject=None) for n in range(5)])
        newest_first = [row.pk for row in reversed(rows)]
        first = owner.get(LIST).context["rows"]
        second = owner.get(f"{LIST}?{first.older}").context["rows"]
        third = owner.get(f"{LIST}?{second.older}").context["rows"]
        shown = [[row.pk for row in page.rows] for page in (first, second, third)]
        assert shown == [newest_first[:2], newest_first[2:4], newest_first[4:]]
        assert (first.newer, third.older) == ("", "")
        back = owner.get(f"{LIST}?{third.newer}").context["rows"]
        assert [row.pk for row in back.rows] == newest_first[2:4]

    def test_settles_the_chosen_rows_and_tells_which_stay(self, owner, sender):
        ingesting.record([facts.submission(sender, [facts.draft("a")])])
        bad = refuse(sender, facts.draft("b", subject=None))
        rows = refuse(sender, facts.draft("c"), judge=lambda *_: "no meter can use it")
        assert [row.code for row in rows] == ["invalid", "unmeterable"]
        answer = owner.post(LIST, {"chosen": [row.pk for row in rows], "action": "replay"}, follow=True)
        told = [str(message) for message in answer.context["messages"]]
        assert told[0] == "1 replayed."
        assert told[1].startswith(f"1 stay as they are. {bad[0].pk}: subject is missing")
        assert listed(owner) == [bad[0].pk]
        owner.post(LIST, {"chosen": [bad[0].pk], "action": "discard"})
        assert listed(owner) == []
        assert listed(owner, state="discarded") == [bad[0].pk]
        assert listed(owner, state="replayed") == [rows[1].pk]


class TestReplay:
    def test_of_a_mended_event_records_it_once(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        answer = owner.post(address(row), {"body": body_of(row, subject="北京 acme"), "action": "replay"})
        assert answer.status_code == 302
        event, row = Event.objects.get(), RejectedEvent.objects.get()
        assert (event.subject, event.event_id, event.data) == ("北京 acme", "a", {"input_tokens": 12})
        assert (row.state, row.settled_by, row.replayed_in_id) == ("replayed", "owner", event.batch_id)
        assert row.settled_at is not None
        assert EventBatch.objects.get(pk=event.batch_id).api_key_id == sender.api_key_id

    def test_that_is_still_wrong_changes_nothing_and_keeps_what_was_typed(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        answer = owner.post(address(row), {"body": body_of(row, type=""), "action": "replay"})
        assert answer.status_code == 400
        page = answer.content.decode()
        assert "Nothing was changed" in page
        assert "type is missing" in page
        assert "&quot;type&quot;: &quot;&quot;" in page
        assert RejectedEvent.objects.get().count == 1
        assert RejectedEvent.objects.get().state == "open"
        assert not Event.objects.exists()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "It is empty"),
            ("no json", "neither a JSON object"),
            ("[]", "there are 0 events"),
            ('[{"id": "1"}, {"id": "2"}]', "there are 2 events"),
            ("5", "neither a JSON object"),
            ("\ud800", "neither a JSON object"),
        ],
    )
    def test_of_what_is_no_event_says_so(self, owner, sender, text, words):
        [row] = refuse(sender, facts.draft("a", subject=None))
        with pytest.raises(settling.ReplayRefused, match=words):
            settling.replay(rejected=row, text=text, at=LATER, by="owner")

    def test_of_a_conflict_needs_an_id_of_its_own(self, owner, sender):
        ingesting.record([facts.submission(sender, [facts.draft("a")])])
        [row] = refuse(sender, facts.draft("a", data=b'{"input_tokens": 13}'))
        assert row.code == "conflict"
        refused = owner.post(address(row), {"body": row.body, "action": "replay"})
        assert "give this one an id of its own" in refused.content.decode()
        assert RejectedEvent.objects.count() == 1
        owner.post(address(row), {"body": body_of(row, id="a-2"), "action": "replay"})
        assert set(Event.objects.values_list("event_id", flat=True)) == {"a", "a-2"}

    def test_of_an_unmeterable_event_waits_for_its_meter(self, owner, sender):
        meters.meter("tokens", "SUM", value="tokens", unit="token")
        judge = ingesting.load().judge
        [row] = refuse(sender, facts.draft("a"), judge=judge)
        assert row.code == "unmeterable"
        assert owner.post(address(row), {"body": row.body, "action": "replay"}).status_code == 400
        mended = body_of(row, data={"tokens": 7})
        assert owner.post(address(row), {"body": mended, "action": "replay"}).status_code == 302
        assert Event.objects.get().data == {"tokens": 7}

    def test_of_a_timeless_event_happened_when_it_was_first_seen(self, owner, sender):
        draft = facts.draft("a", time=None)
        [row] = refuse(sender, draft, judge=lambda *_: "no meter can use it")
        settling.replay(rejected=row, text=row.body, at=LATER, by="owner")
        assert Event.objects.get().time == facts.AT
        retried = ingesting.record([facts.submission(sender, [draft], at=LATER)])
        assert [facts.summary(receipt) for receipt in retried] == [(0, 1, [])]

    def test_of_what_lay_ahead_works_once_its_time_has_come(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", time="2026-10-08T00:00:00Z"))
        assert row.code == "time"
        settling.replay(rejected=row, text=row.body, at=LATER, by="owner")
        assert Event.objects.get().event_id == "a"

    def test_keeps_every_digit_of_a_number(self, owner, sender):
        exact = b'{"cost": 0.1000000000000000000000000000001, "n": 1e-5}'
        [row] = refuse(sender, facts.draft("a", subject=None, data=exact))
        text = owner.get(address(row)).context["text"]
        assert "0.1000000000000000000000000000001" in text
        assert "1e-5" in text

    def test_a_second_time_changes_nothing(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        stale = RejectedEvent.objects.get()
        mended = body_of(row, subject="acme")
        settling.replay(rejected=row, text=mended, at=LATER, by="first")
        # Somebody else's page was loaded before: the event is recorded already, and the row keeps its name.
        assert settling.replay(rejected=stale, text=mended, at=LATER, by="second").duplicates == 1
        assert RejectedEvent.objects.get().settled_by == "first"
        assert Event.objects.count() == 1
        with pytest.raises(settling.AlreadySettled):
            settling.replay(rejected=RejectedEvent.objects.get(), text=mended, at=LATER, by="third")


class TestDiscard:
    def test_keeps_the_event_and_says_who_and_when(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        owner.post(address(row), {"action": "discard"})
        row.refresh_from_db()
        assert (row.state, row.settled_by, row.replayed_in_id) == ("discarded", "owner", None)
        assert not Event.objects.exists()
        page = owner.get(address(row)).content.decode()
        assert "by owner" in page
        assert 'value="discard"' not in page

    def test_shows_when_the_sender_goes_on(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        settling.discard(rejected=row, at=LATER, by="owner")
        [row] = refuse(sender, facts.draft("a", subject=None), at=LATER + timedelta(days=1))
        assert (row.state, row.count) == ("discarded", 2)
        assert "sent it again after it was settled" in owner.get(address(row)).content.decode()
        assert "seen again" in owner.get(LIST + "?state=discarded").content.decode()

    def test_can_be_made_good_by_a_replay(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        settling.discard(rejected=row, at=LATER, by="other")
        owner.post(address(row), {"body": body_of(row, subject="acme"), "action": "replay"})
        row.refresh_from_db()
        assert (row.state, row.settled_by) == ("replayed", "owner")
        assert Event.objects.count() == 1

    def test_of_a_settled_event_is_refused(self, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        settling.discard(rejected=row, at=LATER, by="owner")
        with pytest.raises(settling.AlreadySettled):
            settling.discard(rejected=row, at=LATER, by="other")


class TestPage:
    def test_shows_the_body_as_text(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", subject=None, type="<b>中文</b>"))
        page = owner.get(address(row)).content.decode()
        assert "&lt;b&gt;中文&lt;/b&gt;" in page
        assert "<b>中文" not in page

    def test_shows_letters_instead_of_escapes(self, owner, sender):
        data = rb'{"\u6a21": "\ud83d\ude00 \u0007 \" \\u6a21", "n": 1.50}'
        [row] = refuse(sender, facts.draft("a", subject=None, data=data))
        text = owner.get(address(row)).context["text"]
        assert '"模": ' in text
        assert "1.50" in text
        assert json.loads(text)["data"] == json.loads(data)

    def test_of_a_cut_body_says_so(self, owner, sender):
        [row] = refuse(sender, facts.draft("a", data=b'{"a": "%s"}' % (b"x" * 70_000), size=70_100))
        assert row.code == "too_large"
        assert "Only the first 64 KB were kept" in owner.get(address(row)).content.decode()

    def test_that_is_not_there_is_not_found(self, owner):
        assert owner.get("/console/quarantine/1/").status_code == 404

    def test_may_be_seen_without_the_right_to_settle(self, client, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        client.force_login(month.clerk("metering.view_rejectedevent"))
        page = client.get(address(row)).content.decode()
        assert "<textarea" not in page
        assert "Replay the chosen" not in client.get(LIST).content.decode()
        for target in (address(row), LIST):
            assert client.post(target, {"action": "discard", "chosen": [row.pk]}).status_code == 403
        assert RejectedEvent.objects.get().state == "open"

    def test_is_for_staff_with_the_permission(self, client, sender):
        [row] = refuse(sender, facts.draft("a", subject=None))
        for target in (address(row), LIST):
            assert client.get(target).url.startswith(reverse("admin:login"))
        client.force_login(month.clerk())
        for target in (address(row), LIST):
            assert client.get(target).status_code == 403
