"""Holds answers of the API against its own description: no member may come that it does not name."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import jsonschema
from django.http import HttpResponse

from config.api import reference


@functools.cache
def description() -> dict[str, Any]:
    """The description of the API; objects with named members are closed in it."""
    return _closed(json.loads(reference.text()))


def check(response: HttpResponse, method: str) -> None:
    """Asserts that the status, the content type and the body are as the address' description says."""
    operation = operation_of(response.wsgi_request.path, method)
    status = str(response.status_code)
    described = operation["responses"].get(status) or operation["responses"]["default"]
    is_error = status not in operation["responses"]
    assert is_error == (response.status_code >= 400), (status, response.content)
    media_type = response["Content-Type"].partition(";")[0]
    assert media_type in described["content"], (media_type, described)
    if media_type.endswith("json"):
        schema = {**described["content"][media_type]["schema"], "components": description()["components"]}
        jsonschema.validate(response.json(), schema, format_checker=jsonschema.FormatChecker())


def operation_of(path: str, method: str) -> dict[str, Any]:
    """The description of a method at an address."""
    for template, operations in description()["paths"].items():
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
        if method.lower() in operations and re.fullmatch(pattern, path):
            return operations[method.lower()]
    raise AssertionError(f"{method} {path} is not described")


def _closed(value: Any) -> Any:
    if isinstance(value, list):
        return [_closed(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _closed(each) for key, each in value.items()}
    is_object = found.get("type") == "object" and isinstance(found.get("properties"), dict)
    return {"additionalProperties": False, **found} if is_object else found
