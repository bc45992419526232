"""The events that were turned away: mended and replayed, or discarded. None is ever deleted."""
