"""The web process: the door for events in front, Django behind it."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

from config import celery  # noqa: E402, F401  so that a wake-up call finds the broker
from metering import door  # noqa: E402  Django must be set up before models are imported

application = door.in_front_of(_django)
