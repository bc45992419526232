"""Requests that change something, and may be sent again when their answer was lost."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.request import Request

Method = Callable[..., Any]


def once(post: Method) -> Method:
    """The method of a view; a request with an ``Idempotency-Key`` that came before gets the answer of then.

    The table of keys is the money side's, so that the setting ``API_ONCE`` names the function that does it.
    """

    @functools.wraps(post)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Any:
        answered = import_string(settings.API_ONCE)
        return answered(request=request, act=functools.partial(post, view, request, *args, **kwargs))

    guarded.happens_once = True  # type: ignore[attr-defined]  # read by the schema, and by the test of it
    return guarded
