"""Documents as YAML, as people write them."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer

from billing.documents import texts


class YamlRenderer(BaseRenderer):
    """application/yaml for views that answer a document. Errors stay the JSON that they are."""

    media_type = "application/yaml"
    format = "yaml"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: dict | None = None
    ) -> bytes:
        answer = (renderer_context or {}).get("response")
        if answer is not None and answer.status_code >= 400:
            return msgspec.json.encode(data)
        return texts.of(data).encode()
