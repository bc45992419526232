"""Requests of one event each over many connections: wrk where it is installed, else a client of our own."""

from __future__ import annotations

import json
import multiprocessing
import selectors
import shutil
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.shape import MeasurementWrong
from tests.bench.web import Web

CONNECTIONS = 64
CLIENTS = 2
TIMEOUT_S = 60
_SCRIPT = Path(__file__).with_name("events.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What a server answered under load."""

    requests: int
    seconds: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def has_wrk() -> bool:
    """Whether wrk is installed. Our own client is so slow itself that it hides what a bare server can do."""
    return shutil.which("wrk") is not None


def measure(web: Web, *, key: str, prefix: str, seconds: int) -> Load:
    """Sends for so many seconds; the ids begin with ``prefix``. Raises `MeasurementWrong` for any failure."""
    return (_by_wrk if has_wrk() else _by_own_clients)(web, key, prefix, seconds)


def _by_wrk(web: Web, key: str, prefix: str, seconds: int) -> Load:
    command = [
        "wrk",
        "--threads",
        str(CLIENTS),
        "--connections",
        str(CONNECTIONS),
        "--duration",
        f"{seconds}s",
    ]
    command += [
        "--timeout",
        "30s",
        "--script",
        str(_SCRIPT),
        f"http://{web.host}:{web.port}",
        "--",
        key,
        prefix,
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=seconds + TIMEOUT_S, check=False)
    found = [line for line in run.stdout.splitlines() if line.startswith("bench ")]
    if run.returncode != 0 or not found:
        raise MeasurementWrong(f"wrk failed: {run.stdout[-500:]} {run.stderr[-500:]}")
    answer = json.loads(found[0].removeprefix("bench "))
    if answer["faults"]:
        raise MeasurementWrong(f"{answer['faults']} of {answer['requests']} requests of one event failed")
    return Load(answer["requests"], answer["seconds"], answer["p99_ms"])


def _by_own_clients(web: Web, key: str, prefix: str, seconds: int) -> Load:
    context = multiprocessing.get_context("spawn")
    with context.Pool(CLIENTS) as pool:
        asked = [
            (web.host, web.port, key, f"{prefix}-{n}", CONNECTIONS // CLIENTS, seconds)
            for n in range(CLIENTS)
        ]
        found = pool.starmap(_client, asked)
    latencies = [latency for one in found for latency in one]
    return Load(len(latencies), float(seconds), statistics.quantiles(latencies, n=100)[98] * 1000)


def _client(host: str, port: int, key: str, prefix: str, connections: int, seconds: int) -> list[float]:
    """The seconds that each answer took. One thread for all connections; each has one request under way."""
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        opened = socket.create_connection((host, port), timeout=30)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(opened, selectors.EVENT_READ)
    began: dict[object, float] = {}
    latencies: list[float] = []
    sent = 0
    until = time.perf_counter() + seconds
    ready = [each.fileobj for each in selector.get_map().values()]
    while time.perf_counter() < until:
        for one in ready:
            if one in began:
                answer = one.recv(65536)  # type: ignore[union-attr]
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise MeasurementWrong(f"a request of one event was answered with {answer[:300]!r}")
                latencies.append(time.perf_counter() - began[one])
            sent += 1
            began[one] = time.perf_counter()
            one.sendall(_request(key, f"{prefix}-{sent}"))  # type: ignore[union-attr]
        ready = [each.fileobj for each, _ in selector.select(TIMEOUT_S)]
    return latencies


def _request(key: str, id: str) -> bytes:
    data = {"model": "gpt-4o", "provider": "openai", "input_tokens": 1200, "output_tokens": 90}
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": id,
            "source": "gateway-1",
            "type": "llm.call",
            "subject": f"customer-{len(id)}",
            "time": "2025-10-06T10:00:00Z",
            "data": data | {"cached_input_tokens": 0, "duration_ms": 845, "status": "success"},
        },
        separators=(",", ":"),
    )
    return (
        f"POST /api/v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
