"""Says who acts, so that the history of plans, customers and subscriptions can name them.

The triggers that write the history find it in a setting of the transaction, which pghistory puts there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pghistory
from django.http import HttpRequest, HttpResponse

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def acting(*, by: str, through: str) -> Any:
    """A block in which everything is done by somebody (a user, an API key) through a part of the product."""
    return pghistory.context(by=by, through=through)


def told(*, by: str) -> None:
    """Names who acts in the block that is running, now that they are known."""
    pghistory.context(by=by)


class Acting:
    """Middleware behind the one that finds the user: a request that may change something has somebody's name.

    The API finds out later who its key belongs to, and says it with `told`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in _SAFE:
            return self._get_response(request)
        is_api = request.path.startswith("/api/")
        by = "" if is_api else request.user.get_username()
        with acting(by=by, through="api" if is_api else "console"):
            return self._get_response(request)
