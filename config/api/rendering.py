"""Answers in JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer


class ExactJSONRenderer(BaseRenderer):
    """JSON in which a Decimal is a text with all its digits, and ready JSON text goes out as it is."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: dict | None = None
    ) -> bytes:
        return b"" if data is None else msgspec.json.encode(data)
