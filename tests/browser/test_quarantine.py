"""Rejected events in a real browser: all of a page chosen at once, one mended in its field."""

import pytest

from metering import ingesting
from metering.models import Event, RejectedEvent
from tests.billing.console import month
from tests.browser.test_walk import PHONE, WIDTH, log_in
from tests.metering.ingesting import facts

pytestmark = [pytest.mark.browser, pytest.mark.server]


@pytest.fixture
def rejected(transactional_db):
    """Three events without a subject; the one that is long and in Chinese."""
    text = "推理服务" * 200
    drafts = [facts.draft("a"), facts.draft("b"), facts.draft("c", data=f'{{"说明": "{text}"}}'.encode())]
    for draft in drafts:
        draft.subject = None
    ingesting.record([facts.submission(facts.new_sender(), drafts)])
    month.owner()
    return RejectedEvent.objects.get(body__contains=text)


class TestList:
    def test_chooses_all_rows_and_discards_them(self, page, web_server, rejected):
        log_in(page, web_server, "/console/quarantine/")
        page.check("[data-chooses]")
        assert page.locator("input[name=chosen]:checked").count() == 3
        page.locator("input[name=chosen]").first.uncheck()
        assert page.locator("[data-chooses]").evaluate("box => box.indeterminate")
        page.click("text=Discard the chosen")
        page.wait_for_selector("text=2 discarded.")
        assert RejectedEvent.objects.filter(state="discarded").count() == 2

    def test_fits_a_phone(self, page, web_server, rejected):
        page.set_viewport_size(PHONE)
        log_in(page, web_server, "/console/quarantine/")
        for path in ("/console/quarantine/", f"/console/quarantine/{rejected.pk}/"):
            page.goto(web_server.url + path)
            assert page.evaluate(WIDTH) == PHONE["width"], path


class TestEvent:
    def test_is_mended_in_its_field_and_replayed(self, page, web_server, rejected):
        log_in(page, web_server, f"/console/quarantine/{rejected.pk}/")
        body = page.input_value("#body")
        assert "推理服务" in body
        page.fill("#body", body.replace('"id": "c"', '"id": "c", "subject": "北京 acme"'))
        page.click("text=Replay >> nth=-1")
        page.wait_for_selector("text=will be counted once")
        assert Event.objects.get().subject == "北京 acme"
