"""Market prices of models, from the package genai-prices: a catalogue price becomes a fixed matrix, once.

Nothing here changes with time: the package's version is pinned, and an instant says which of its dated prices
are meant.
"""

from billing.market.resolving import Resolution, has_catalogue, resolve, resolved_document

__all__ = ["Resolution", "has_catalogue", "resolve", "resolved_document"]
