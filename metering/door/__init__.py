"""The door for events: a plain WSGI application that stands in front of Django.

It answers ``POST /api/v1/events``, ``POST /api/v1/events/batch`` and ``POST /webhooks/metering/<name>``;
every other address goes on to Django, whose request cycle would cost several times what an event costs here.
"""

from metering.door.routes import in_front_of

__all__ = ["in_front_of"]
