"""What tests of the API share: a client with keys, whose answers are held against the API's description."""

from __future__ import annotations

import json

import pytest

from tests.billing.api.conforming import check
from tests.metering.door.deliveries import new_key


@pytest.fixture
def ask(client):
    """Asks with a key of the scopes: the response, which conforms to the description."""
    keys = {}

    def asked(method, path, body=None, *, scopes=("read", "manage"), **headers):
        if scopes not in keys:
            keys[scopes] = new_key(*scopes)
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        response = client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else text,
            content_type="application/json",
            headers={"authorization": f"Bearer {keys[scopes]}"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        check(response, method)
        return response

    return asked
