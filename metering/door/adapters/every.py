"""The events API: any format, told apart by its members."""

from metering.door.formats import cloudevents, lago, litellm

FORMATS = (litellm, lago, cloudevents)
