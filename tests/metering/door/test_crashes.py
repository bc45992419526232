"""kill -9 of the web process, and of PostgreSQL, between the acknowledgement of events and their roll-up."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings

from tests import servers
from tests.metering.door.deliveries import event, receipt, send
from tests.postgres import Postgres

pytestmark = pytest.mark.server

SENDERS = 4
REQUESTS_EACH = 60
EVENTS_A_REQUEST = 7
EVENTS = SENDERS * REQUESTS_EACH * EVENTS_A_REQUEST
PATIENCE_S = 90.0
METER = {
    "slug": "tokens",
    "name": "t",
    "event_type": "llm.call",
    "aggregation": "SUM",
    "value": "input_tokens",
}


class Deployment:
    """A web process before a PostgreSQL of its own, a meter, a key, and no broker at all."""

    def __init__(self, postgres: Postgres, folder: Path, closing: ExitStack) -> None:
        self.postgres = postgres
        self._closing = closing
        self._port = servers.free_port()
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": postgres.url,
            "REDIS_URL": f"redis://127.0.0.1:{servers.free_port()}/0",
            "SECRET_KEY": settings.SECRET_KEY,
            "API_KEY_PEPPER": settings.API_KEY_PEPPER,
        }
        self.manage("migrate", "--no-input")
        document = folder / "meter.json"
        document.write_text(json.dumps(METER))
        self.manage("meters", "apply", str(document))
        self.key = self.manage("create_api_key", "gateway", "--scope", "ingest").strip()
        self.web = self.start_web()

    def manage(self, *command: str) -> str:
        run = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=servers.CHECKOUT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def start_web(self) -> servers.WebServer:
        self.web = self._closing.enter_context(servers.web(self._environment, port=self._port))
        return self.web

    def roll_up(self) -> None:
        self.manage("shell", "-c", "from metering import tasks; tasks.roll_up_pending()")

    def stored(self) -> set[str]:
        return {id for (id,) in self.postgres.rows("select event_id from metering_event")}

    def counted(self) -> tuple[int, int]:
        """What the buckets hold: (the sum of the values, the number of events)."""
        [(total, count)] = self.postgres.rows("select sum(quantity), sum(count) from metering_usagebucket")
        return int(total), int(count)


class Senders:
    """Gateways that send each request until it is answered with 200, as they should."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._until = time.monotonic() + PATIENCE_S
        self._lock = threading.Lock()
        self.acknowledged: set[str] = set()
        self.troubles: list[str] = []
        self._threads = [threading.Thread(target=self._send_all, args=(n,)) for n in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> set[str]:
        """The ids that were acknowledged as soon as there are so many."""
        while True:
            with self._lock:
                if len(self.acknowledged) >= count:
                    return set(self.acknowledged)
            assert time.monotonic() < self._until, (len(self.acknowledged), self.troubles[-3:])
            time.sleep(0.005)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        assert len(self.acknowledged) == EVENTS, self.troubles[-3:]

    def _send_all(self, sender: int) -> None:
        for request in range(REQUESTS_EACH):
            first = (sender * REQUESTS_EACH + request) * EVENTS_A_REQUEST
            numbers = range(first, first + EVENTS_A_REQUEST)
            events = [event(f"e{n}", data={"input_tokens": n}) for n in numbers]
            while not self._is_acknowledged(events) and time.monotonic() < self._until:
                time.sleep(0.05)

    def _is_acknowledged(self, events: list[dict]) -> bool:
        try:
            answer = send(self._deployment.web, self._deployment.key, events)
        except (OSError, http.client.HTTPException) as error:
            return self._note_trouble(type(error).__name__)
        if answer.status != 200:
            assert answer.status == 503, answer.body
            return self._note_trouble("503")
        accepted, duplicates, rejected = receipt(answer)
        assert (accepted + duplicates, rejected) == (len(events), [])
        with self._lock:
            self.acknowledged |= {each["id"] for each in events}
        return True

    def _note_trouble(self, name: str) -> bool:
        with self._lock:
            self.troubles.append(name)
        return False


@pytest.fixture
def deployment(own_postgres: Postgres, tmp_path: Path) -> Iterator[Deployment]:
    with ExitStack() as closing:
        yield Deployment(own_postgres, tmp_path, closing)


def check_that_all_is_counted_once(deployment: Deployment) -> None:
    assert deployment.stored() == {f"e{n}" for n in range(EVENTS)}
    [(keys, accepted)] = deployment.postgres.rows(
        "select (select count(*) from metering_eventkey), (select sum(accepted) from metering_eventbatch)"
    )
    assert (keys, accepted) == (1680, 1680)
    deployment.roll_up()
    # 0 + 1 + ... + 1679 = 1679 x 840
    assert deployment.counted() == (1_410_360, 1680)


class TestKill:
    def test_of_the_web_process_loses_and_doubles_nothing(self, deployment):
        senders = Senders(deployment)
        before = senders.wait_for(EVENTS // 4)
        deployment.web.kill()
        assert before <= deployment.stored()
        deployment.start_web()
        senders.join()
        assert senders.troubles
        check_that_all_is_counted_once(deployment)

    def test_of_the_database_loses_and_doubles_nothing(self, deployment):
        senders = Senders(deployment)
        before = senders.wait_for(EVENTS // 4)
        deployment.postgres.kill()
        before = senders.wait_for(len(before))
        deployment.postgres.start()
        assert before <= deployment.stored()
        # The same web process goes on by itself.
        senders.join()
        assert "503" in senders.troubles
        check_that_all_is_counted_once(deployment)

    def test_of_both_after_the_acknowledgement_loses_nothing(self, deployment):
        senders = Senders(deployment)
        senders.join()
        deployment.web.kill()
        deployment.postgres.kill()
        deployment.postgres.start()
        check_that_all_is_counted_once(deployment)
