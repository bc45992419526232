"""Addresses and commands of this server that pages offer to copy."""

from __future__ import annotations

from django import template
from django.template import RequestContext

from billing.console import curl

register = template.Library()


@register.simple_tag(takes_context=True)
def first_event(context: RequestContext, key: str) -> str:
    """The command that sends one event with ``key``."""
    return curl.first_event(context["request"], key=key)


@register.simple_tag(takes_context=True)
def webhook_address(context: RequestContext, name: str) -> str:
    """The whole address of the metering webhook of this name."""
    return context["request"].build_absolute_uri(f"/webhooks/metering/{name}")
