from datetime import UTC, date, datetime

import pytest

from billing.exports import month_ends, tasks
from billing.models import Export, Subscription
from config import celery
from tests.billing.exports import sample
from tests.billing.exports.test_month import two_invoices

pytestmark = pytest.mark.django_db


def on(month, day):
    return datetime(2020, month, day, 0, 20, tzinfo=UTC)


def asked(day, at):
    return [(str(each), each.formats, each.made_by) for each in month_ends.request(day=day, at=at)]


@pytest.fixture(autouse=True)
def month_of_may(db):
    two_invoices()
    # The sample's subscriptions were billed to the end.
    Subscription.objects.update(next_billing_at=None)


class TestRequest:
    def test_asks_for_the_month_before_from_the_day_on(self):
        assert asked(5, on(6, 4)) == []
        assert asked(5, on(6, 5)) == [("2020-05", [], "the clock")]

    def test_asks_once_whatever_became_of_it(self):
        assert len(asked(5, on(6, 5))) == 1
        Export.objects.update(state=Export.State.FAILED)
        assert asked(5, on(6, 5)) == []
        assert asked(5, on(6, 28)) == []

    def test_asks_for_nothing_where_no_day_is_chosen(self):
        assert asked(0, on(6, 28)) == []

    def test_waits_for_a_draft_and_catches_up_in_a_later_month(self):
        late = sample.draft(lines=[sample.calls()], buyer=sample.customer("late"))
        assert asked(5, on(6, 5)) == []
        sample.finalized(late, "INV-000003")
        assert asked(5, on(7, 1)) == [("2020-05", [], "the clock")]

    def test_looks_back_three_months(self):
        assert asked(5, on(9, 4)) == []
        assert asked(1, on(8, 31)) == [("2020-05", [], "the clock")]

    def test_leaves_a_month_alone_that_has_nothing(self):
        assert asked(5, on(5, 5)) == []

    def test_does_not_count_an_export_that_a_person_asked_for(self):
        Export.objects.create(month=date(2020, 5, 1), made_at=on(6, 1), made_by="finance", folder="")
        assert len(asked(5, on(6, 5))) == 1


class TestTask:
    def test_is_on_the_schedule_and_off_by_default(self, settings):
        assert celery.app.conf.beat_schedule["exports-of-ended-months"]["task"] in celery.app.tasks
        assert settings.EXPORT_DAY == 0
        tasks.export_ended_months()
        assert not Export.objects.exists()
