"""What changed between two plan documents, in words and amounts."""

from billing.differences.changes import ADDED, Change, of

__all__ = ["ADDED", "Change", "of"]
