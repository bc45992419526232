"""The page of exports shows by itself how far an export is."""

from datetime import UTC, datetime

import pytest

from billing.exports import making
from billing.models import Export
from tests.billing.console import month
from tests.billing.exports import sample
from tests.browser.test_walk import PHONE, WIDTH, log_in

pytestmark = [pytest.mark.browser, pytest.mark.server]


class TestUnderWay:
    def test_follows_an_export_to_its_files(self, page, web_server, settings, tmp_path):
        settings.EXPORTS_DIR = tmp_path
        month.invoiced()
        month.owner()
        at = datetime(2020, 6, 15, tzinfo=UTC)
        export = making.request(month=sample.MAY, formats=["csv"], by="owner", at=at)
        page.set_viewport_size(PHONE)
        log_in(page, web_server, "/console/exports/?month=2020-05")
        assert page.get_by_text("Waiting for a worker").is_visible()
        assert page.evaluate(WIDTH) <= PHONE["width"]
        Export.objects.update(state=Export.State.RUNNING, done=3, expected=12)
        page.wait_for_selector("text=3 of 12")
        making.make(export_id=export.pk, at=lambda: at)
        page.wait_for_selector("text=invoices.csv")
        assert not page.get_by_text("Under way").is_visible()
