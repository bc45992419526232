"""Pages on which a person does something: each says what will happen, asks what it needs, then does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from metering.console import pages
from metering.documents import DocumentError


class NothingAsked(forms.Form):
    """No question but whether."""


@dataclass(frozen=True)
class Action:
    """Something that can be done with a row, its subject.

    ``is_possible`` is asked with the row and now, which decides whether the action is offered. ``run`` takes
    the row, the form's values, now and the user's name; it gives the row to go on with, and what to say. What
    it raises of ``refusals`` is told beside the field that the error names in ``field``, if it does.
    """

    title: str
    button: str
    permission: str
    is_possible: Callable[[Any, datetime], bool]
    consequences: Callable[[Any], list[str]]
    run: Callable[[Any, dict[str, Any], datetime, str], tuple[Any, str]]
    refusals: tuple[type[Exception], ...]
    form: type[forms.Form] = NothingAsked
    initial: Callable[[Any, datetime], dict[str, Any]] = lambda _row, _at: {}
    is_grave: bool = False


def possible(actions: Mapping[str, Action], row: Any, *, user: Any, at: datetime) -> list[tuple[str, Action]]:
    """The actions that the row's state and the user's permissions allow, by name."""
    return [
        (name, action)
        for name, action in actions.items()
        if user.has_perm(action.permission) and action.is_possible(row, at)
    ]


def page(
    request: HttpRequest,
    *,
    action: Action | None,
    find: Callable[[], Any],
    address: Callable[[Any], str],
) -> HttpResponse:
    """The page of an action; after a POST the row's page, or what refused it with status 400.

    ``find`` gives the row or raises Http404, once the permission is checked; ``address`` is of a row's page.
    """
    if action is None:
        raise Http404("There is no such action.")
    return pages.needs(action.permission)(_page)(request, action, find, address)


def _page(
    request: HttpRequest, action: Action, find: Callable[[], Any], address: Callable[[Any], str]
) -> HttpResponse:
    row, at = find(), timezone.now()
    form = action.form(request.POST if request.method == "POST" else None, initial=action.initial(row, at))
    if request.method == "POST" and form.is_valid():
        try:
            after, told = action.run(row, form.cleaned_data, at, request.user.get_username())
        except (*action.refusals, DocumentError) as refusal:
            field = getattr(refusal, "field", None)
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, told)
            return redirect(address(after))
    return pages.render(
        request,
        "action.html",
        title=f"{action.title}: {row}",
        action=action,
        consequences=action.consequences(row),
        back=address(row),
        form=form,
        status=400 if form.errors else 200,
    )
