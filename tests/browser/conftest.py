"""A real browser. Without one these tests are left out, unless METERBOOK_REQUIRE_BROWSER=1 demands them."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESKTOP = {"width": 1440, "height": 1000}
TIMEOUT_MS = 20_000


def _executable():
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium():
    """The path of the system's Chromium."""
    path = _executable()
    if path is None:
        missing = f"no Chromium found: none of {', '.join(NAMES)} is on PATH"
        if os.environ.get("METERBOOK_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


@pytest.fixture(autouse=True)
def passwords(settings):
    """Passwords are hashed as the web process expects them, not in the quick way of other tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]


@pytest.fixture
def page(chromium):
    """A page of a fresh browser, wide as a desktop. An error in its scripts fails the test."""
    # Playwright runs an event loop in this thread, and Django would refuse the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    problems = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            opened = browser.new_context(viewport=DESKTOP).new_page()
            opened.set_default_timeout(TIMEOUT_MS)
            opened.on("pageerror", lambda error: problems.append(str(error)))
            yield opened
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    assert problems == []
