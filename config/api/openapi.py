"""The description of the API as OpenAPI 3.1, from the views, their shapes and the door's addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from billing.documents import plan
from config.api import door_addresses
from metering.documents import meter

_REF = "#/components/schemas/{name}"
_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "A text of your own for this request. Sent again with the same key and body it has no "
    "second effect: the answer is that of the first time, with the header `Idempotent-Replayed: true`.",
}
_REPLAYED_HEADER = {
    "Idempotent-Replayed": {
        "schema": {"type": "string", "enum": ["true"]},
        "description": "this is the answer of an earlier request with the same Idempotency-Key",
    }
}


class Schema(AutoSchema):
    """What each operation has in common: the scope it needs, how it refuses, and Idempotency-Key."""

    def get_tags(self) -> list[str]:
        return [self._tokenize_path()[0]]

    def get_description(self) -> str:
        scope = getattr(self.view, "scope", None)
        said = super().get_description()
        return f"{said}\n\nNeeds a key of scope `{scope}`." if scope else said

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters = super()._get_parameters()
        return [*parameters, _KEY_HEADER] if self._happens_once() else parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses = super()._get_response_bodies(direction)
        if self._happens_once():
            for response in responses.values():
                response.setdefault("headers", {}).update(_REPLAYED_HEADER)
        return {**responses, "default": door_addresses.REFUSED}

    def _happens_once(self) -> bool:
        return getattr(getattr(self.view, self.method.lower(), None), "happens_once", False)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """API keys as bearer tokens."""

    target_class = "metering.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "mb_…", "description": "an API key"}


class ShapeExtension(OpenApiSerializerExtension):
    """Shapes of answers: their types are their schema."""

    target_class = "metering.api.shapes.Shape"
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        return str(self.target.__name__)

    def get_identity(self, auto_schema: Any, direction: Any) -> str:
        # Shapes inside of others are known by their names alone.
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        _, components = msgspec.json.schema_components([self.target], ref_template=_REF)
        own: dict[str, Any] = components.pop(self.target.__name__)
        for name, schema in components.items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=schema)
            )
        return own


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """The schema with the documents that bodies hold, and with the addresses that the door answers."""
    schemas = result["components"]["schemas"]
    schemas |= _document("PlanDocument", plan.schema) | _document("MeterDocument", meter.schema)
    schemas |= door_addresses.SCHEMAS
    for path, operations in door_addresses.PATHS.items():
        result["paths"].setdefault(path, {}).update(operations)
    return result


def _document(name: str, schema: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The schema of a document as components; its own definitions stand beside it."""
    own = schema()
    definitions = {f"{name}_{key}": each for key, each in own.pop("$defs", {}).items()}
    found = {name: own} | definitions
    return {key: _moved(each, name) for key, each in found.items()}


def _moved(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _moved(each, name) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, name) for each in value]
    if isinstance(value, str) and value.startswith("#/$defs/"):
        return _REF.format(name=f"{name}_{value.removeprefix('#/$defs/')}")
    return value
