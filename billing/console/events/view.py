"""The list of events with its filters, and one event."""

from __future__ import annotations

import uuid

from django.db.models import Func, TextField
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from billing.console import curl, keysets, months
from billing.console.events import filters
from billing.models import CustomerSubject
from metering.console import pages
from metering.models import Event, EventBatch, EventKey, UncountedEvent, patience


@pages.needs("metering.view_event")
def listing(request: HttpRequest) -> HttpResponse:
    """The accepted events of a month or of typed times, newest first, a page by key."""
    now = timezone.now()
    month = months.chosen(request.GET, at=now)
    form = filters.Filters(request.GET)
    rows = keysets.Page(rows=[], newer="", older="")
    is_too_slow = False
    if form.is_valid():
        try:
            with patience.answer_in_time():
                rows = keysets.by_time_and_key(filters.apply(form, month=month, at=now), query=request.GET)
        except patience.TooSlow:
            is_too_slow = True
    narrowed = ("subject", "type", "event_id", "data_path", "data_value")
    kept = {name: request.GET[name] for name in narrowed if request.GET.get(name)}
    return pages.render(
        request,
        "events.html",
        title="Events",
        month=month,
        form=form,
        rows=rows,
        kept=kept,
        is_too_slow=is_too_slow,
        is_about_month=form.is_valid() and not form.has_bounds and not form.batch_id,
        first_event=None if rows.rows or EventBatch.objects.exists() else curl.first_event(request),
    )


@pages.needs("metering.view_event")
def detail(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One event with everything it carried, who pays for it, and the meters that could not use it."""
    stored = EventKey.objects.filter(pk=key).first()
    # Written by the database: Python's JSON reader would cut a long number to a float.
    event = (
        stored
        and Event.objects.filter(time=stored.time, key=key)
        .annotate(
            data_text=Func("data", function="jsonb_pretty", output_field=TextField()),
            extensions_text=Func("extensions", function="jsonb_pretty", output_field=TextField()),
        )
        .first()
    )
    if event is None:
        raise Http404("There is no such event.")
    payer = CustomerSubject.objects.filter(subject=event.subject, validity__contains=event.time)
    return pages.render(
        request,
        "event.html",
        title=f"Event {event.event_id}",
        event=event,
        payer=payer.select_related("customer").first(),
        uncounted=UncountedEvent.objects.filter(key=key).select_related("meter_version__meter")[:20],
    )
