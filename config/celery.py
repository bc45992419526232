"""The Celery application. Celery is only the alarm clock: the rows of the database are the messages."""

from __future__ import annotations

import os

import celery
from celery.schedules import crontab
from django.conf import settings
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = celery.Celery("meterbook")
app.conf.update(
    broker_url=settings.REDIS_URL or "redis://127.0.0.1:1/0",  # none runs: waking a worker fails, softly
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600, "socket_connect_timeout": 2, "socket_timeout": 10},
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_serializer="json",
    accept_content=["json"],
    task_time_limit=600,
    task_soft_time_limit=540,
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    # A month's export takes long, and setting documents takes memory for good. A worker without -Q takes both
    # queues; `-Q exports` on one of its own keeps them apart.
    task_queues=[Queue(name, routing_key=name) for name in ("celery", "exports")],
    task_default_queue="celery",
    task_routes={"billing.exports.tasks.make": {"queue": "exports"}},
    worker_max_memory_per_child=600_000,  # KB; a process above it is replaced after its task
    worker_soft_shutdown_timeout=20,
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_schedule={
        # Whatever became of the wake-up calls, the rows are found again by these.
        "roll-up": {"task": "metering.tasks.roll_up_pending", "schedule": 5.0},
        "partitions-ahead": {"task": "metering.tasks.make_partitions_ahead", "schedule": 6 * 3600.0},
        "adjustments": {"task": "billing.tasks.adjust_invoiced_periods", "schedule": 600.0},
        "reconcile": {"task": "billing.tasks.reconcile", "schedule": crontab(hour=2, minute=30)},
        "invoice-run": {"task": "billing.tasks.invoice_due_subscriptions", "schedule": 300.0},
        "exports": {"task": "billing.exports.tasks.make_unfinished", "schedule": 60.0},
        "exports-of-ended-months": {
            "task": "billing.exports.tasks.export_ended_months",
            "schedule": crontab(minute=20),
        },
        "what-ifs": {"task": "billing.tasks.answer_what_ifs", "schedule": 30.0},
    },
)
# Celery closes the database connection around every task; a task of milliseconds would mostly reconnect.
app.conf["CELERY_DB_REUSE_MAX"] = 500
app.autodiscover_tasks(["metering", "billing", "billing.exports"])
# Celery keeps the current app by thread: without this, a wake-up from any other thread finds none.
app.set_default()
