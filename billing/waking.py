"""Calls workers, by the names of their tasks.

A call may get lost: the rows say what is to be done, and a tick finds them again.
"""

from __future__ import annotations

import celery
import structlog
from kombu.exceptions import OperationalError as BrokerGone

log = structlog.get_logger(__name__)


def bill(*, run_id: int) -> None:
    """Has a worker join an invoice run soon."""
    _call("billing.tasks.bill_chunks", run_id=run_id)


def answer_what_ifs() -> None:
    """Has a worker look for comparisons that were asked for."""
    _call("billing.tasks.answer_what_ifs")


def _call(task: str, **arguments: int) -> None:
    try:
        celery.current_app.send_task(task, kwargs=arguments, ignore_result=True)
    except BrokerGone as error:
        log.warning("worker_not_called", task=task, error=str(error), **arguments)
