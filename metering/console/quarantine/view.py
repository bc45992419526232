"""The list of rejected events, and one of them with its body to mend."""

from __future__ import annotations

import json
import re

import msgspec
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from metering import ingesting
from metering.console import pages as console
from metering.console.quarantine import filters, pages, settling
from metering.models import RejectedEvent
from metering.models.patience import TooSlow, answer_in_time

MAY_SEE, MAY_SETTLE = "metering.view_rejectedevent", "metering.change_rejectedevent"
FAILURES_TOLD = 3
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


@console.needs(MAY_SEE)
def listing(request: HttpRequest) -> HttpResponse:
    """The rejected events of a state, the last seen first; those that are chosen can be settled at once."""
    if request.method == "POST":
        return _settle_chosen(request)
    form = filters.Filters(request.GET)
    rows = pages.Page(rows=[], newer="", older="")
    is_too_slow = False
    if form.is_valid():
        try:
            with answer_in_time():
                rows = pages.of(filters.apply(form), query=request.GET)
        except TooSlow:
            is_too_slow = True
    return console.render(
        request,
        "quarantine.html",
        title="Rejected events",
        form=form,
        rows=rows,
        is_too_slow=is_too_slow,
        states=RejectedEvent.State.choices,
        state=form.chosen_state if form.is_valid() else RejectedEvent.State.OPEN.value,
        may_settle=request.user.has_perm(MAY_SETTLE),
    )


@console.needs(MAY_SEE)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One rejected event. A POST replays the text that is sent, or discards the event."""
    related = ("api_key", "webhook_source")
    rejected = get_object_or_404(RejectedEvent.objects.select_related(*related), pk=pk)
    text, problem = _readable(rejected.body), ""
    if request.method == "POST":
        _demand(request)
        text = request.POST.get("body", "")
        problem = _settled(request, rejected, text)
        if not problem:
            return redirect("quarantine:event", pk=pk)
    return console.render(
        request,
        "rejected_event.html",
        title=f"Rejected event {pk}",
        rejected=rejected,
        text=text,
        problem=problem,
        is_cut=len(rejected.body.encode()) >= ingesting.EVENT_BYTES_MAX,
        may_replay=rejected.state != RejectedEvent.State.REPLAYED and request.user.has_perm(MAY_SETTLE),
        is_seen_again=rejected.settled_at is not None and rejected.last_at > rejected.settled_at,
        status=400 if problem else 200,
    )


def _settled(request: HttpRequest, rejected: RejectedEvent, text: str) -> str:
    """Does what the form says; why it could not be done, or ""."""
    is_discarding = request.POST.get("action") == "discard"
    reason = _attempt(request, rejected, text, is_discarding=is_discarding)
    if not reason and is_discarding:
        messages.success(request, "Discarded. The event is kept here and is not counted.")
    elif not reason:
        messages.success(request, "Replayed: the event is recorded and will be counted once.")
    return reason


def _settle_chosen(request: HttpRequest) -> HttpResponse:
    """Replays or discards the chosen rows as they are, each alone, and says what became of them."""
    _demand(request)
    is_discarding = request.POST.get("action") == "discard"
    chosen = [int(pk) for pk in request.POST.getlist("chosen") if pk.isdigit()][: pages.ROWS]
    done, failures = 0, []
    for rejected in RejectedEvent.objects.filter(pk__in=chosen).order_by("pk"):
        reason = _attempt(request, rejected, rejected.body, is_discarding=is_discarding)
        done += not reason
        if reason:
            failures.append(f"{rejected.pk}: {reason}")
    if done:
        messages.success(request, f"{done} {'discarded' if is_discarding else 'replayed'}.")
    if failures:
        rest = f" And {len(failures) - FAILURES_TOLD} more." if len(failures) > FAILURES_TOLD else ""
        told = " · ".join(failures[:FAILURES_TOLD])
        messages.warning(request, f"{len(failures)} stay as they are. {told}{rest}")
    if not chosen:
        messages.info(request, "No event was chosen.")
    return redirect(request.get_full_path())


def _attempt(request: HttpRequest, rejected: RejectedEvent, text: str, *, is_discarding: bool) -> str:
    at, by = timezone.now(), request.user.get_username()
    try:
        if is_discarding:
            settling.discard(rejected=rejected, at=at, by=by)
        else:
            settling.replay(rejected=rejected, text=text, at=at, by=by)
    except settling.AlreadySettled:
        return "somebody settled this event before"
    except settling.ReplayRefused as error:
        return str(error)
    except ingesting.RecordingUnavailable:
        return "the database could not record it now; try again"
    return ""


def _demand(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_SETTLE):
        raise PermissionDenied


def _readable(body: str) -> str:
    """The body on several lines, letters instead of escapes, numbers untouched; no JSON stays as it is."""
    try:
        spread = msgspec.json.format(body.encode(), indent=2).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    return _TEXT.sub(_with_letters, spread)


def _with_letters(text: re.Match[str]) -> str:
    if "\\u" not in text[0]:
        return text[0]
    letters = json.dumps(json.loads(text[0]), ensure_ascii=False)
    return letters if letters.isprintable() else text[0]
