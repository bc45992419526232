"""What the list of invoices can be narrowed down by."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from billing.exports import invoices
from billing.models import Invoice

DRAFT, BLOCKED, OPEN, OVERDUE, PAID, VOID = "draft", "blocked", "open", "overdue", "paid", "void"
STATES = [
    ("", "any"),
    (DRAFT, "draft"),
    (BLOCKED, "blocked draft"),
    (OPEN, "finalized, not paid"),
    (OVERDUE, "overdue"),
    (PAID, "paid"),
    (VOID, "void"),
]


class Filters(forms.Form):
    """State, and a customer or a number; all months where ``every`` is ticked."""

    state = forms.ChoiceField(choices=STATES, required=False)
    text = forms.CharField(required=False, max_length=200, label="Customer or number")
    every = forms.BooleanField(required=False, label="All months")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("state", "text"):
            self.fields[name].widget.attrs["class"] = "c-input"

    @property
    def is_narrowed(self) -> bool:
        return any(self.cleaned_data.get(name) for name in self.fields)


def apply(filters: Filters, *, month: date, today: date) -> QuerySet[Invoice]:
    """The invoices that pass: of the month in which their service ended, or of all months.

    A filter that is wrong narrows nothing down. ``today``: overdue is what was due before.
    """
    chosen = filters.cleaned_data
    rows = Invoice.objects.all() if chosen.get("every") else invoices.of_month(month)
    if text := chosen.get("text", "").strip():
        rows = rows.filter(
            Q(number__iexact=text) | Q(customer__key__iexact=text) | Q(customer__name__icontains=text)
        )
    return rows.filter(_in_state(chosen.get("state", ""), today))


def _in_state(state: str, today: date) -> Q:
    return {
        "": Q(),
        DRAFT: Q(state=Invoice.State.DRAFT),
        BLOCKED: Q(state=Invoice.State.DRAFT) & ~Q(blocked_reason=""),
        OPEN: Q(state=Invoice.State.FINALIZED),
        OVERDUE: Q(state=Invoice.State.FINALIZED, due_date__lt=today),
        PAID: Q(state=Invoice.State.PAID),
        VOID: Q(state=Invoice.State.VOID),
    }[state]
