"""The shell of every page of the console, billing's too: who may see it, and the layout around it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_template

View = Callable[..., HttpResponse]


def needs(permission: str) -> Callable[[View], View]:
    """A view decorator: who is not logged in as staff goes to the login, who lacks ``permission`` gets 403.

    Permissions are written as "metering.view_event".
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return admin.site.admin_view(guarded)

    return decorate


def render(
    request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """The page ``config/templates/console/<template>`` within the console's layout."""
    request.current_app = admin.site.name
    return render_template(
        request,
        f"console/{template}",
        {**admin.site.each_context(request), "title": title, **context},
        status=status,
    )
