"""docs/events.md names what the door does."""

from __future__ import annotations

from pathlib import Path

import pytest

from metering.api.events import EventFilters
from metering.door import limits, reading
from metering.ingesting import contents, screening
from metering.models import ApiKey, RejectedEvent, WebhookSource

PAGE = Path("docs/events.md").read_text()


class TestReference:
    @pytest.mark.parametrize(
        "word",
        [
            *RejectedEvent.Code.values,
            *ApiKey.Scope.values,
            *WebhookSource.Adapter.values,
            *sorted(reading.JSON),
        ],
    )
    def test_names_each_word(self, word):
        assert f"`{word}`" in PAGE

    @pytest.mark.parametrize(
        "number",
        [
            f"{limits.EVENTS_MAX:,} events",
            f"{limits.BODY_BYTES_MAX:,} bytes",
            f"{screening.EVENT_BYTES_MAX:,} bytes",
            f"{screening.TEXT_BYTES_MAX:,} bytes",
            f"{contents.NUMBER_LENGTH_MAX} characters",
            f"{contents.NUMBER_DIGITS_MAX} digits",
            f"exponents from -{contents.NUMBER_EXPONENT_MAX} to {contents.NUMBER_EXPONENT_MAX}",
            f"{contents.DEPTH_MAX} levels",
        ],
    )
    def test_states_each_limit(self, number):
        assert number in PAGE

    @pytest.mark.parametrize("parameter", EventFilters().fields)
    def test_names_each_parameter_of_reading(self, parameter):
        assert f"`{parameter}`" in PAGE

    @pytest.mark.parametrize("status", [400, 401, 403, 405, 413, 415, 429, 503])
    def test_names_each_status(self, status):
        assert f"| {status} |" in PAGE
