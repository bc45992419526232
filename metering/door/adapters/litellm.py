"""LiteLLM, and gateways that pass its events on as CloudEvents."""

from metering.door.formats import cloudevents, litellm

FORMATS = (litellm, cloudevents)
