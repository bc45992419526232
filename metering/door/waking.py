"""Wakes the roll-up after a commit."""

from __future__ import annotations

import celery

from metering.errands import Errand

TASK = "metering.tasks.roll_up_pending"
REST_S = 0.2


def errand(app: celery.Celery) -> Errand:
    """An errand that sends the roll-up's task. The broker may be away: the beat finds the batches anyway."""
    return Errand(lambda: _send(app), name="wake-roll-up", rest_s=REST_S)


def _send(app: celery.Celery) -> None:
    app.send_task(TASK, ignore_result=True, expires=60)
