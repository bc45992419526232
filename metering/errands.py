"""Small work that may be late or fail, and that no request shall wait for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

REST_AFTER_FAILURE_S = 5.0


class Errand:
    """Runs ``work`` in a thread of its own after `ask` was called, at most once every ``rest_s`` seconds.

    A failure is logged and forgotten: whatever is done here is also done, or found again, elsewhere.
    """

    def __init__(self, work: Callable[[], None], *, name: str, rest_s: float) -> None:
        self._work = work
        self._name = name
        self._rest_s = rest_s
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._process_id = 0

    def ask(self) -> None:
        """Has the work done soon; returns at once."""
        if not self._asked.is_set():  # to set it again would cost a lock, at every request
            self._asked.set()
        if self._process_id != os.getpid():  # threads do not survive a fork
            with self._starting:
                if self._process_id != os.getpid():
                    threading.Thread(target=self._run, name=self._name, daemon=True).start()
                    self._process_id = os.getpid()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            rest_s = self._rest_s
            try:
                self._work()
            except Exception as error:
                log.warning("errand_failed", errand=self._name, error=str(error))
                rest_s = max(rest_s, REST_AFTER_FAILURE_S)
            time.sleep(rest_s)
