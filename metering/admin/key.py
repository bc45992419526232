"""API keys: made here and shown once, revoked here."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from metering import issuing
from metering.admin.issuing_pages import IssuingAdmin
from metering.models import ApiKey


class ApiKeyForm(forms.Form):
    """Whom the key is for, and what it may do."""

    name = forms.CharField(
        max_length=issuing.NAME_LENGTH_MAX,
        help_text="Who will use it, such as “gateway Frankfurt”.",
        widget=forms.TextInput(attrs={"class": "c-input", "autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        choices=ApiKey.Scope.choices,
        initial=[ApiKey.Scope.INGEST],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )


@admin.register(ApiKey)
class ApiKeyAdmin(IssuingAdmin):
    """The newest first. Of a key only its visible beginning is known."""

    issue_form = ApiKeyForm
    issued_template = "issued_key.html"
    list_display = ("name", "beginning", "scopes_shown", "state", "created_at", "last_used_at")
    search_fields = ("name", "prefix")
    fields = ("name", "beginning", "scopes_shown", "state", "created_at", "last_used_at", "revoked_at")
    empty_title = "No API keys yet"
    empty_hint = "Whoever sends events needs a key. It is shown once, when it is made."

    def issue(self, form: forms.Form, request: HttpRequest) -> tuple[ApiKey, str]:
        return issuing.issue_api_key(
            name=form.cleaned_data["name"], scopes=form.cleaned_data["scopes"], at=timezone.now()
        )

    def revoke(self, row: ApiKey) -> None:
        issuing.revoke_api_key(key=row, at=timezone.now())

    @display(description="key")
    def beginning(self, key: ApiKey) -> str:
        return f"mb_{key.prefix}_…"

    @display(description="may")
    def scopes_shown(self, key: ApiKey) -> str:
        return ", ".join(str(ApiKey.Scope(scope).label).lower() for scope in key.scopes)
