"""How fast a key may send, counted in the memory of this process: it works without Redis.

Each key has a bucket that fills with ``events_per_second_max`` tokens a second, up to one second's worth.
A request is let in while there is a token left, and its events may overdraw the bucket: so a large batch is
never refused for ever, and whoever sends one pays for it with the pause after it.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from metering.admission.keys import AdmissionRefused, Key

BUCKETS_MAX = 10_000


class TooFast(AdmissionRefused):
    """The key has sent more than its limit allows; it may go on after ``retry_after_s`` whole seconds."""

    def __init__(self, key: Key, retry_after_s: int) -> None:
        super().__init__(
            f"This API key may send {key.events_per_second_max:,} events a second. "
            f"Send the same request again in {retry_after_s:,} s: nothing of it was recorded."
        )
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_s: float


_buckets: dict[int, _Bucket] = {}
_lock = threading.Lock()


def charge(*, key: Key, now_s: float, events: int = 1, is_let_in: bool = False) -> None:
    """Takes tokens for so many events of a key; ``now_s``: seconds on a clock that never goes back.

    ``is_let_in``: the request was let in before, so that what its events cost is only noted.
    Raises `TooFast`, and takes nothing then.
    """
    rate = key.events_per_second_max
    if rate is None:
        return
    with _lock:
        bucket = _buckets.get(key.id)
        if bucket is None:
            if len(_buckets) >= BUCKETS_MAX:
                _buckets.clear()
            bucket = _buckets[key.id] = _Bucket(tokens=rate, filled_s=now_s)
        bucket.tokens = min(rate, bucket.tokens + (now_s - bucket.filled_s) * rate)
        bucket.filled_s = now_s
        if bucket.tokens < 1 and not is_let_in:
            raise TooFast(key, max(1, math.ceil((1 - bucket.tokens) / rate)))
        bucket.tokens -= events
