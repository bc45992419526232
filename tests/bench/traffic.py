"""Events of model calls, and senders that post them in batches over several connections."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.bench.shape import MeasurementWrong
from tests.bench.web import Web

START = datetime(2025, 10, 6, tzinfo=UTC)
EVERY = timedelta(milliseconds=86)
MODELS = (
    ("gpt-4o", "openai"),
    ("gpt-4o-mini", "openai"),
    ("claude-sonnet", "anthropic"),
    ("qwen-max", "alibaba"),
)
SUBJECTS = 50


def batches(*, prefix: str, events: int, size: int) -> list[bytes]:
    """The bodies of batches of ``size`` events each; their ids begin with ``prefix``."""
    chance = random.Random(prefix)
    texts = [_event(prefix, n, chance) for n in range(events)]
    return [b"[" + b",".join(texts[n : n + size]) + b"]" for n in range(0, events, size)]


def _event(prefix: str, n: int, chance: random.Random) -> bytes:
    model, provider = chance.choice(MODELS)
    event = {
        "specversion": "1.0",
        "id": f"{prefix}-{chance.getrandbits(64):016x}-{n}",
        "source": "gateway-1",
        "type": "llm.call",
        "subject": f"customer-{chance.randrange(SUBJECTS):03}",
        "time": (START + n * EVERY).isoformat().replace("+00:00", "Z"),
        "data": {
            "model": model,
            "provider": provider,
            "input_tokens": chance.randrange(1, 8000),
            "output_tokens": chance.randrange(1, 2000),
            "cached_input_tokens": 0,
            "duration_ms": chance.randrange(80, 9000),
            "status": "success",
        },
    }
    return json.dumps(event, separators=(",", ":")).encode()


def send(web: Web, *, key: str, bodies: Sequence[bytes], connections: int) -> float:
    """Seconds in which all bodies were sent and answered; they must be accepted whole.

    Each connection sends its next body when the last one was answered. Raises `MeasurementWrong`.
    """
    waiting = deque(bodies)
    failures: list[str] = []
    threads = [
        threading.Thread(target=_sender, args=(web, key, waiting, failures)) for _ in range(connections)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed_s = time.perf_counter() - began
    if failures:
        raise MeasurementWrong(failures[0])
    return elapsed_s


def _sender(web: Web, key: str, waiting: deque[bytes], failures: list[str]) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(web.host, web.port, timeout=120)
    try:
        while not failures:
            try:
                body = waiting.popleft()
            except IndexError:
                return
            connection.request("POST", "/api/v1/events", body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200 or json.loads(text)["accepted"] != body.count(b'"specversion"'):
                failures.append(f"a batch was answered with {answer.status}: {text[:300]!r}")
    except OSError as error:
        failures.append(f"a batch was not answered: {error}")
    finally:
        connection.close()
