"""The walk of somebody from finance, against the running server."""

import pytest

from tests.billing.console import month

pytestmark = [pytest.mark.browser, pytest.mark.server]

PHONE = {"width": 390, "height": 844}
WIDTH = "document.documentElement.scrollWidth"


def log_in(page, server, path="/console/?month=2020-05"):
    page.goto(server.url + path)
    page.fill("input[name=username]", "owner")
    page.fill("input[name=password]", month.PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#nav-sidebar-inner", state="attached")


class TestWalk:
    def test_leads_from_the_dashboard_into_the_steps_of_a_line(self, page, web_server):
        invoice = month.invoiced()
        month.owner()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        log_in(page, web_server)
        page.wait_for_function("window.Chart && Object.keys(Chart.instances).length === 1")
        assert page.locator(".c-figure").first.inner_text() == "$50.00"
        page.click("text=Acme 北京")
        page.click(f"text={invoice.number}")
        steps = page.get_by_text("20 x 2.5")
        assert not steps.is_visible()
        page.click("summary:has-text('On demand')")
        assert steps.is_visible()
        page.keyboard.press("Enter")  # the line has the focus: the keyboard closes it again
        assert not steps.is_visible()
        assert page.locator(".c-grand dd").last.inner_text() == "$50.00"
        with page.expect_download() as download:
            page.click("text=Download PDF")
        assert download.value.suggested_filename == "INV-000001.pdf"
        assert [url for url in asked if not url.startswith((web_server.url, "data:"))] == []

    def test_fits_a_phone_in_light_and_dark(self, page, web_server):
        invoice = month.invoiced()
        month.rejected("a word that never ends: " + "x" * 300)
        month.owner()
        page.set_viewport_size(PHONE)
        log_in(page, web_server)
        for path in (
            "/console/?month=2020-05",
            f"/console/invoices/{invoice.pk}/",
            "/console/events/?month=2020-05",
            "/console/exports/?month=2020-05",
            "/console/plans/hybrid/1/",
            "/console/plans/upload/?plan=hybrid",
            "/console/quarantine/",
            "/console/billing/invoice/",
        ):
            page.goto(web_server.url + path)
            assert page.evaluate(WIDTH) == PHONE["width"], path
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.reload()
            page.wait_for_load_state()
            assert page.evaluate("document.documentElement.classList.contains('dark')") == (scheme == "dark")


class TestUpload:
    def test_shows_the_mistake_and_then_the_new_version(self, page, web_server, tmp_path):
        month.used()
        month.owner()
        log_in(page, web_server, "/console/plans/upload/")
        faulty = tmp_path / "plan.yaml"
        faulty.write_text("code: basic\nname: Basic\ncurrency: USD\nintervall: MONTH\ncomponents: []\n")
        page.set_input_files("input[type=file]", faulty)
        page.click("button:has-text('Review')")
        assert page.locator(".c-place").inner_text() == "plan.intervall"
        page.fill(
            "textarea",
            "code: basic\nname: Basic\ncurrency: USD\ninterval: MONTH\n"
            "components:\n  - {code: fee, price: {model: flat, amount: '5'}}\n",
        )
        page.click("button:has-text('Review')")
        page.click("button:has-text('Publish')")
        assert page.get_by_text("basic: version 1 is published.").is_visible()


class TestApiKey:
    def test_made_in_the_console_is_taken_by_the_door(self, page, web_server):
        month.used()
        month.owner()
        log_in(page, web_server, "/console/metering/apikey/add/")
        page.fill("input[name=name]", "gateway")
        page.click("text=Make it")
        key = page.locator(".c-secret code").inner_text()
        event = b'{"id": "1", "source": "t", "type": "llm.call", "subject": "acme", "data": {}}'
        answer = web_server.post(
            "/api/v1/events", event, authorization=f"Bearer {key}", content_type="application/json"
        )
        assert (answer.status, answer.json()["accepted"]) == (200, 1)
