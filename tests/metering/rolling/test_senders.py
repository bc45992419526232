"""Whoever sends events, in whatever order and how often: the buckets are the same."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from config.celery import app
from metering.measures import Event
from metering.models import EventBatch, EventKey, MeterVersion, UsageSeries
from tests.metering.door.deliveries import new_key
from tests.world import buckets, meters

pytestmark = [pytest.mark.server, pytest.mark.worker]

START = datetime(2026, 10, 5, tzinfo=UTC)
EVENTS, SINGLES, SENDERS, PATIENCE_S = 5_000, 1_000, 4, 120
TICK = app.conf.beat_schedule["roll-up"]["task"]


def history(subject: str) -> list[Event]:
    """Events of a week, many of them in one quarter hour; of two series."""
    return [
        Event(
            id=f"{subject}-{n}",
            source="gateway",
            type="llm.call",
            subject=subject,
            time=START + timedelta(minutes=n * 7919 % 10_080),
            data={"n": n % 97, "model": f"m{n % 2}"},
        )
        for n in range(EVENTS)
    ]


def written(each: Event) -> dict[str, Any]:
    members = {"id": each.id, "source": each.source, "type": each.type, "subject": each.subject}
    return {**members, "specversion": "1.0", "time": each.time.isoformat(), "data": each.data}


def post(web_server, key: str, batches: Sequence[Sequence[Event]]) -> None:
    """Sends the batches one after another over one connection; each must be answered as taken."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    over = http.client.HTTPConnection(web_server.host, web_server.port, timeout=60)
    for batch in batches:
        over.request("POST", "/api/v1/events", body=json.dumps([*map(written, batch)]), headers=headers)
        answer = over.getresponse()
        receipt = json.loads(answer.read())
        assert (answer.status, receipt["rejected"]) == (200, [])
    over.close()


def at_once(works: Sequence[Callable[[], None]]) -> None:
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert failures == []


def rolled_up(celery_worker) -> None:
    """As beat does it: a tick now and then, until nothing is pending."""
    until = time.monotonic() + PATIENCE_S
    while EventBatch.objects.filter(rolled_epoch=None).exists():
        assert time.monotonic() < until, celery_worker.log.read_text()[-2000:]
        celery_worker.app.send_task(TICK)
        time.sleep(0.1)


def of_subject(versions: Sequence[MeterVersion], subject: str) -> list[dict]:
    """The buckets of each meter version, without the subject's name."""
    return [
        {key[1:]: value for key, value in buckets.stored(version).items() if key[0] == subject}
        for version in versions
    ]


class TestSenders:
    def test_of_the_same_events_in_any_order_and_size_make_the_same_buckets(self, web_server, celery_worker):
        by_model = {"dimensions": {"model": "model"}}
        versions = [
            meters.meter("calls", **by_model),
            meters.meter("sum", "SUM", value="n", **by_model),
            meters.meter("peak", "MAX", value="n"),
            meters.meter("kinds", "UNIQUE", value="n"),
        ]
        key, chance = new_key(), random.Random(5)

        def shuffled(each: Sequence[Event]) -> list[Event]:
            return chance.sample(each, len(each))

        whole = history("whole")
        orders = [shuffled(whole) for _ in range(SENDERS)]
        at_once([lambda order=order: post(web_server, key, [order]) for order in orders])

        single = shuffled(history("single"))
        singles, rest = single[:SINGLES], single[SINGLES:]
        # Each sends some of its own again, and some that another one sends.
        retried = [[*singles[n::SENDERS], *chance.sample(singles, SINGLES // 20)] for n in range(SENDERS)]
        at_once(
            [
                lambda order=order: post(web_server, key, [*([each] for each in order), rest])
                for order in retried
            ]
        )

        rolled_up(celery_worker)
        assert EventKey.objects.count() == 2 * EVENTS
        assert of_subject(versions, "whole") == of_subject(versions, "single")
        expected = buckets.expected(versions[0], [*whole, *single])
        assert buckets.stored(versions[0]) == expected
        assert UsageSeries.objects.count() == 2 * (2 + 2 + 1 + 1)


class TestTick:
    def test_finds_everything_after_redis_was_wiped(self, web_server, celery_worker):
        version, key = meters.meter("calls"), new_key()
        some = history("acme")
        post(web_server, key, [some[:10]])
        rolled_up(celery_worker)
        with redis.Redis.from_url(celery_worker.app.conf.broker_url) as broker:
            post(web_server, key, [some[10:20], some[20:30]])
            broker.flushdb()
        rolled_up(celery_worker)
        assert buckets.stored(version) == buckets.expected(version, some[:30])
