"""The page on which a document (a plan, a meter) is uploaded or pasted, with its errors and their places."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from billing.console import places
from metering import documents
from metering.console import pages
from metering.documents import DocumentError

BYTES_MAX = 512 * 1024


class DocumentForm(forms.Form):
    """One document as a file or as text. A file goes before the text."""

    file = forms.FileField(
        required=False,
        label="File",
        widget=forms.FileInput(attrs={"class": "c-input", "accept": ".yaml,.yml,.json"}),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or the text, YAML or JSON",
        widget=forms.Textarea(attrs={"class": "c-input", "rows": 24, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        file = self.cleaned_data.get("file")
        if file is not None and file.size > BYTES_MAX:
            raise forms.ValidationError(f"The file is larger than {BYTES_MAX // 1024} KB.")
        if len(self.cleaned_data.get("text") or "") > BYTES_MAX:
            raise forms.ValidationError(f"The text is longer than {BYTES_MAX // 1024:,} thousand characters.")
        if file is None and not (self.cleaned_data.get("text") or "").strip():
            raise forms.ValidationError("Choose a file, or paste the document.")
        return self.cleaned_data


@dataclasses.dataclass(frozen=True)
class Text:
    """A document as it arrived, and the name that tells YAML from JSON ("" for pasted text)."""

    text: str
    name: str


def upload(
    request: HttpRequest, *, kind: str, title: str, initial: str, applying: Callable[[Any], HttpResponse]
) -> HttpResponse:
    """The form with ``initial`` in it; after a POST the answer of ``applying(document)``.

    A document that cannot be taken comes back in the form with the error, its path and its line, status 400.
    ``kind`` ("plan" or "meter") is what the page calls it.
    """
    if request.method != "POST":
        return form_with(request, kind=kind, title=title, text=initial)
    form = DocumentForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, kind, title, form, status=400)
    arrived = Text("", "")
    try:
        arrived = _text(form)
        return applying(_only_one(arrived))
    except DocumentError as error:
        # A browser does not send a file twice: its text is put where it can be mended.
        mended = DocumentForm(initial={"text": arrived.text})
        place = places.line(arrived.text, error.field)
        return _page(request, kind, title, mended, status=400, error=error, line=place)


def form_with(request: HttpRequest, *, kind: str, title: str, text: str) -> HttpResponse:
    """The form with a text in it, to go on from."""
    return _page(request, kind, title, DocumentForm(initial={"text": text}))


def _page(
    request: HttpRequest, kind: str, title: str, form: DocumentForm, *, status: int = 200, **context: Any
) -> HttpResponse:
    return pages.render(request, "upload.html", title=title, kind=kind, form=form, status=status, **context)


def _text(form: DocumentForm) -> Text:
    file = form.cleaned_data["file"]
    if file is None:
        return Text(form.cleaned_data["text"].replace("\r\n", "\n"), "")
    try:
        return Text(file.read().decode("utf-8-sig"), file.name)
    except UnicodeDecodeError as error:
        raise DocumentError("invalid", f"{file.name} is no UTF-8 text") from error


def _only_one(arrived: Text) -> Any:
    """The one document of a text, which may also be a list of one."""
    document = documents.load_text(arrived.text, arrived.name)
    if isinstance(document, list):
        if len(document) != 1:
            raise DocumentError(
                "invalid", f"upload one document at a time; this is a list of {len(document)}"
            )
        return document[0]
    return document
