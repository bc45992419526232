"""How the demo ends early: one line that says what is wrong and what to do."""

from __future__ import annotations


class DemoFailed(Exception):
    """Something of the product did not do what it must; the message is one line. Exit status 1."""


class DemoRefused(Exception):
    """The demo does not belong where it was started; the message is one line. Exit status 2."""
