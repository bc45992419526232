"""What the server holds, read back over its API. Standard library only."""

from __future__ import annotations

import json
import os
import time
import urllib.parse
import urllib.request
import uuid
from typing import Any

URL = os.environ["METERBOOK_URL"]
KEY = os.environ["METERBOOK_KEY"]
PATIENCE_S = 30.0


def new_subject(name: str) -> str:
    """A subject that no run had before."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


def events(*, count: int, **filters: str) -> list[dict[str, Any]]:
    """The stored events that pass the filters, as soon as there are ``count``; numbers as texts."""
    until = time.monotonic() + PATIENCE_S
    while len(found := _read(filters)) < count and time.monotonic() < until:
        time.sleep(0.2)
    assert len(found) == count, f"{len(found)} events are stored for {filters}, {count} were sent"
    return found


def check(name: str, found: object, wanted: object) -> None:
    """Says that something is as it should be, or ends with what it is instead."""
    assert found == wanted, f"{name}: {found!r} instead of {wanted!r}"
    print(f"   {name}", flush=True)


def _read(filters: dict[str, str]) -> list[dict[str, Any]]:
    address = f"{URL}/api/v1/events?{urllib.parse.urlencode(filters)}"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer, parse_float=str)["events"]
