"""The usage explorer in a browser, against the running server."""

from __future__ import annotations

import pytest

from tests.billing.console import month
from tests.browser.test_walk import PHONE, WIDTH, log_in
from tests.world import meters

pytestmark = [pytest.mark.browser, pytest.mark.server]

ADDRESS = "/console/usage/?meter=gpu_hours&month=2020-05&split=gpu_type"
DRAWN = "document.querySelector('#usage-chart canvas') !== null"
COLOUR = (
    "echarts.getInstanceByDom(document.querySelector('#usage-chart')).getOption().yAxis[0].axisLabel.color"
)


class TestExplorer:
    def test_leads_from_a_number_to_its_events(self, page, web_server):
        month.used()
        month.rolled_up()
        month.owner()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        log_in(page, web_server, ADDRESS)
        page.wait_for_function(DRAWN)
        assert page.locator(".c-figure").first.inner_text() == "20"
        with page.expect_download() as download:
            page.click("text=Download CSV")
        assert download.value.suggested_filename == "usage-gpu_hours-20200501-20200601.csv"
        page.click("td >> text=Events")
        page.wait_for_selector("td:has-text('gpu.usage')")
        assert page.locator("tbody tr").count() == 1
        assert [url for url in asked if not url.startswith((web_server.url, "data:"))] == []

    def test_forgets_the_split_of_another_meter(self, page, web_server):
        month.used()
        meters.meter("calls", dimensions={"model": "model"})
        month.owner()
        log_in(page, web_server, ADDRESS)
        page.select_option("select[name=meter]", "calls")
        page.wait_for_url("**meter=calls**")
        assert page.locator(".c-error").count() == 0
        assert "nothing\nmodel\nsubject" in page.locator("select[name=split]").inner_text()

    def test_fits_a_phone_in_the_colours_of_the_theme(self, page, web_server):
        month.used()
        month.rolled_up()
        month.owner()
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="light")
        log_in(page, web_server, ADDRESS)
        page.wait_for_function(DRAWN)
        assert page.evaluate(WIDTH) == PHONE["width"]
        light = page.evaluate(COLOUR)
        page.emulate_media(color_scheme="dark")
        page.reload()
        page.wait_for_function(DRAWN)
        assert page.evaluate(COLOUR) != light
        page.goto(web_server.url + "/console/metering/meter/")
        page.click("#result_list a:has-text('gpu_hours')")
        page.wait_for_selector("text=What it takes from the latest events")
        assert page.evaluate(WIDTH) == PHONE["width"]
