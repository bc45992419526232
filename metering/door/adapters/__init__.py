"""What the sender of a metering webhook speaks, one file an adapter: ``FORMATS`` are tried in order.

The events API takes all formats, see `metering.door.adapters.every`.
"""

from __future__ import annotations

from types import ModuleType

from metering.door.adapters import cloudevents, every, lago, litellm

ADAPTERS: dict[str, ModuleType] = {"cloudevents": cloudevents, "lago": lago, "litellm": litellm}

__all__ = ["ADAPTERS", "every"]
