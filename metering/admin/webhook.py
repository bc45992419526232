"""Webhook sources: senders that sign what they deliver."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from metering import issuing
from metering.admin.issuing_pages import IssuingAdmin
from metering.models import WebhookSource


class WebhookSourceForm(forms.Form):
    """The name stands in the address that deliveries go to."""

    name = forms.SlugField(
        max_length=issuing.SOURCE_NAME_LENGTH_MAX,
        help_text="It stands in the address that deliveries go to: letters, digits, - and _.",
        widget=forms.TextInput(attrs={"class": "c-input", "autocomplete": "off"}),
    )
    adapter = forms.ChoiceField(
        choices=WebhookSource.Adapter.choices, help_text="What the sender's deliveries look like."
    )


@admin.register(WebhookSource)
class WebhookSourceAdmin(IssuingAdmin):
    """The newest first. The secret is shown once, when the source is made."""

    issue_form = WebhookSourceForm
    issued_template = "issued_webhook.html"
    list_display = ("name", "adapter", "address", "state", "created_at")
    search_fields = ("name",)
    fields = ("name", "adapter", "address", "state", "created_at", "revoked_at")
    empty_title = "No webhook sources yet"
    empty_hint = (
        "A sender that signs its deliveries (Standard Webhooks) needs a source of its own and its secret."
    )

    def issue(self, form: forms.Form, request: HttpRequest) -> tuple[WebhookSource, str]:
        return issuing.issue_webhook_source(
            name=form.cleaned_data["name"], adapter=form.cleaned_data["adapter"], at=timezone.now()
        )

    def revoke(self, row: WebhookSource) -> None:
        WebhookSource.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=timezone.now())

    @display(description="address")
    def address(self, source: WebhookSource) -> str:
        return f"/webhooks/metering/{source.name}"
