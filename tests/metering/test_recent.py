from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from metering import recent


class _Clock:
    def __init__(self, monkeypatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr(recent.time, "monotonic", lambda: self.now_s)


class TestRecent:
    def test_asks_once_while_the_answer_is_young(self):
        asked: list[str] = []
        answers = recent.Recent(lambda key: asked.append(key) or len(asked), ttl_s=1_000)
        assert [answers.get("a"), answers.get("a")] == [1, 1]
        assert asked == ["a"]

    def test_asks_every_time_for_what_is_unknown(self):
        asked: list[str] = []
        answers = recent.Recent(lambda key: asked.append(key), ttl_s=1_000)
        assert [answers.get("a"), answers.get("a")] == [None, None]
        assert asked == ["a", "a"]

    def test_is_never_older_than_its_time(self, monkeypatch):
        clock = _Clock(monkeypatch)
        answers = recent.Recent(lambda _: clock.now_s, ttl_s=2)
        assert answers.get("a") == 100.0
        clock.now_s = 102.0
        assert answers.get("a") == 102.0

    def test_is_asked_again_by_one_while_the_others_go_on_with_it(self, monkeypatch):
        clock = _Clock(monkeypatch)
        asking, is_answered = threading.Event(), threading.Event()

        def load(_: str) -> float:
            if clock.now_s > 100.0:
                asking.set()
                assert is_answered.wait(30)
            return clock.now_s

        answers = recent.Recent(load, ttl_s=2)
        answers.get("a")
        clock.now_s = 101.5
        with ThreadPoolExecutor(1) as pool:
            renewing = pool.submit(answers.get, "a")
            assert asking.wait(30)
            assert answers.get("a") == 100.0
            is_answered.set()
            assert renewing.result(30) == 101.5
        assert answers.get("a") == 101.5

    def test_forgets_what_became_unknown(self, monkeypatch):
        clock = _Clock(monkeypatch)
        answers = recent.Recent(lambda _: 1 if clock.now_s < 101 else None, ttl_s=2)
        assert answers.get("a") == 1
        clock.now_s = 101.5
        assert answers.get("a") is None
