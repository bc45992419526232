"""Senders of CloudEvents."""

from metering.door.formats import cloudevents

FORMATS = (cloudevents,)
