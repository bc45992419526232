"""API keys: made here and shown once, revoked here."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from metering import issuing
from metering.admin.issuing_pages import IssuingAdmin
from metering.models import ApiKey


def _rate_field() -> forms.IntegerField:
    return forms.IntegerField(
        label="Events a second, at most",
        required=False,
        min_value=1,
        max_value=issuing.RATE_MAX,
        help_text="In each web process. Empty: no limit.",
        widget=forms.NumberInput(attrs={"class": "c-input"}),
    )


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
    events_per_second_max = _rate_field()


class LimitForm(forms.Form):
    """How fast a key may send."""

    events_per_second_max = _rate_field()


@admin.register(ApiKey)
class ApiKeyAdmin(IssuingAdmin):
    """The newest first. Of a key only its visible beginning is known."""

    issue_form = ApiKeyForm
    issued_template = "issued_key.html"
    change_form_outer_after_template = "console/parts/key.html"
    list_display = ("name", "beginning", "scopes_shown", "limit", "state", "created_at", "last_used_at")
    search_fields = ("name", "prefix")
    fields = (
        "name",
        "beginning",
        "scopes_shown",
        "limit",
        "state",
        "created_at",
        "last_used_at",
        "revoked_at",
    )
    empty_title = "No API keys yet"
    empty_hint = "Whoever sends events needs a key. It is shown once, when it is made."

    def issue(self, form: forms.Form, request: HttpRequest) -> tuple[ApiKey, str]:
        return issuing.issue_api_key(**form.cleaned_data, at=timezone.now())

    def get_urls(self) -> list[URLPattern]:
        limiting = self.admin_site.admin_view(require_POST(self.limit_view))
        return [path("<int:pk>/limit/", limiting, name="metering_apikey_limit"), *super().get_urls()]

    def limit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Changes how fast a key may send, and goes back to it."""
        if not request.user.has_perm("metering.change_apikey"):
            raise PermissionDenied
        key = get_object_or_404(ApiKey, pk=pk)
        form = LimitForm(request.POST)
        if form.is_valid():
            issuing.limit_api_key(key=key, **form.cleaned_data)
            messages.success(request, f"The limit of {key} is changed.")
        else:
            messages.error(request, f"Write a whole number from 1 to {issuing.RATE_MAX:,}, or nothing.")
        return HttpResponseRedirect(reverse("admin:metering_apikey_change", args=[pk]))

    def revoke(self, row: ApiKey) -> None:
        issuing.revoke_api_key(key=row, at=timezone.now())

    @display(description="key")
    def beginning(self, key: ApiKey) -> str:
        return f"mb_{key.prefix}_…"

    @display(description="events a second")
    def limit(self, key: ApiKey) -> str:
        most = key.events_per_second_max
        return "no limit" if most is None else f"at most {most:,}"

    @display(description="may")
    def scopes_shown(self, key: ApiKey) -> str:
        return ", ".join(str(ApiKey.Scope(scope).label).lower() for scope in key.scopes)
