"""Senders of Lago's events."""

from metering.door.formats import lago

FORMATS = (lago,)
