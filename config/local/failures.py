"""The root of every failure that a person is told of in one line."""

from __future__ import annotations


class CannotRun(Exception):
    """Something on this machine stands in the way; the text says what, where, and what to do, in one line."""
