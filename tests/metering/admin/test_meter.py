"""The page of a meter: its definition, and what it takes from the latest events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.billing.console import month
from tests.world import events, meters

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 10, 5, 10, tzinfo=UTC)
STATEMENTS_MAX = 20


@pytest.fixture
def tokens():
    return meters.meter("tokens", "SUM", value="n", dimensions={"model": "model"}, unit="token")


def opened(client, version):
    return client.get(reverse("admin:metering_meter_change", args=[version.meter_id]))


class TestPreview:
    def test_shows_values_and_reasons(self, owner, tokens):
        events.store(
            [events.event(1, TEN, {"n": 1234567, "model": "通义<b>"}), events.event(2, TEN, {"model": "m"})]
        )
        page = opened(owner, tokens).content.decode()
        assert "1,234,567" in page
        assert "通义&lt;b&gt;" in page
        assert "n is missing" in page

    def test_says_that_no_event_came_yet(self, owner, tokens):
        assert "No event of its type has arrived yet." in opened(owner, tokens).content.decode()

    def test_is_for_those_who_may_see_events(self, client, tokens):
        client.force_login(month.clerk("metering.view_meter", "metering.view_meterversion"))
        answer = opened(client, tokens)
        assert (answer.status_code, "preview" in answer.context) == (200, False)

    def test_costs_no_statement_an_event(self, owner, tokens):
        def statements():
            with CaptureQueriesContext(connection) as asked:
                assert opened(owner, tokens).status_code == 200
            return len(asked)

        events.store([events.event(0, TEN, {"n": 1})])
        before = statements()
        events.store([events.event(n, TEN + timedelta(minutes=n), {"n": 1}) for n in range(1, 120)])
        assert statements() == before <= STATEMENTS_MAX
        assert len(opened(owner, tokens).context["rows"]) == 100

    def test_of_a_meter_that_is_not_there_leads_back(self, owner):
        for wrong in ("99", "x"):
            assert owner.get(reverse("admin:metering_meter_change", args=[wrong])).status_code == 302
