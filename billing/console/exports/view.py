"""The exports of months: a form that asks for one, how far those under way are, and the files of others."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from billing.console import months
from billing.exports import formats, invoices, places, tasks
from billing.models import Export
from metering.console import pages

EXPORTS_SHOWN = 50
FILES_SHOWN = 200
# How often the page asks how far an export is.
REFRESH_S = 4
UNFINISHED = (Export.State.PENDING, Export.State.RUNNING)


class ExportForm(forms.Form):
    """Which formats of the month to write."""

    formats = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one format."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["formats"].choices = [(name, name.upper()) for name in formats.ALL]
        self.fields["formats"].initial = list(formats.ALL)


@pages.needs("billing.view_export")
def listing(request: HttpRequest) -> HttpResponse:
    """What the month's export will hold, the form that asks for it, and the latest exports."""
    now = timezone.now()
    month = months.chosen(request.GET, at=now)
    form = ExportForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not request.user.has_perm("billing.add_export"):
            raise PermissionDenied
        if form.is_valid():
            return _ask(request, month.first, form.cleaned_data["formats"], now)
    exports = Export.objects.order_by("-made_at", "-pk")[:EXPORTS_SHOWN]
    count, totals = invoices.totals(month=month.first)
    return pages.render(
        request,
        "exports.html",
        title="Exports",
        month=month,
        form=form,
        count=count,
        totals=totals,
        drafts=invoices.draft_count(month=month.first),
        under_way=[export for export in exports if export.state in UNFINISHED],
        exports=[export for export in exports if export.state not in UNFINISHED],
        files_shown=FILES_SHOWN,
        refresh_s=REFRESH_S,
        status=400 if form.errors else 200,
    )


@pages.needs("billing.view_export")
def download(request: HttpRequest, pk: int, name: str) -> HttpResponseBase:
    """A file of an export. Only what its manifest names is given out, whatever else lies in the folder."""
    export = get_object_or_404(Export, pk=pk)
    if name not in {entry["file"] for entry in export.files}:
        raise Http404("The export has no file of this name.")
    try:
        opened = places.opened(export=export, path=name)
    except places.FileMissing as error:
        raise Http404(str(error)) from error
    return FileResponse(opened, as_attachment=True, filename=Path(name).name)


def _ask(request: HttpRequest, first: date, names: list[str], now: datetime) -> HttpResponse:
    tasks.ask(month=first, formats=names, by=request.user.get_username(), at=now)
    messages.success(
        request,
        f"The export of {first:%B %Y} waits for a worker. Its files are listed below once it is done.",
    )
    return redirect(f"{request.path}?month={first:%Y-%m}")
