"""The page of usage that no invoice has."""

import pytest

from billing.models import Invoice
from metering.rolling import running as rolling
from tests.billing.console import month
from tests.world import catalog, events

pytestmark = pytest.mark.django_db


def page(client, query="?month=2020-05"):
    return client.get(f"/console/unbilled/{query}").content.decode()


class TestUnbilled:
    def test_names_subjects_that_nobody_pays_for(self, owner):
        month.used()
        catalog.run_gpus("stranger 陌生人", month.START, 3)
        rolling.roll_up(limit=100, at=month.INVOICED_AT)
        text = page(owner)
        assert "stranger 陌生人" in text
        assert "Nobody pays for the subject" in text
        assert "?subject=stranger%20" in text

    def test_names_types_that_no_meter_counts(self, owner):
        month.used()
        events.store([events.event(900, month.START, {"x": 1}, subject="acme", type="image.made")])
        assert "image.made" in page(owner)

    def test_leads_to_drafts_that_are_blocked(self, owner):
        invoice = month.drafted_and_blocked()
        text = page(owner)
        assert f"/console/invoices/{invoice.pk}/" in text
        assert Invoice.objects.get().blocked_reason.split(": ", 1)[1][:20] in text

    def test_says_that_all_is_well(self, owner):
        month.used()
        month.rolled_up()
        text = page(owner)
        assert "all measured usage of May 2020 has somebody who is charged for it" in text
        assert "every event of May 2020 is counted by a meter" in text

    def test_is_about_a_month(self, owner):
        month.used()
        catalog.run_gpus("stranger", month.START, 3)
        rolling.roll_up(limit=100, at=month.INVOICED_AT)
        assert "stranger" not in page(owner, "?month=2020-06")
