"""What advice can be asked in the console: a workload, typed or of a customer, and the plans for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict

from billing.advising.request import PLANS_MAX
from billing.console import typed
from billing.console.typed import MonthField, NumberField
from metering import periods
from metering.documents import DocumentError
from metering.periods import Period

ROWS_MAX = 50
ROWS_SPARE = 2
PLACES: Mapping[str, str] = {
    "workload.customer": "customer",
    "workload.first_month": "first_month",
    "workload.last_month": "last_month",
    "plans": "plans",
    "budget": "budget",
}
_ROW = re.compile(r"workload\.usage\[([0-9]+)\]")


@dataclass
class Row:
    """A quantity of a meter as it was typed; ``dimensions`` such as "model=gpt-5, region=eu"."""

    meter: str = ""
    quantity: str = ""
    dimensions: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.meter or self.quantity or self.dimensions)

    def written(self, when: Mapping[str, str]) -> dict[str, Any]:
        """The row as a request has it, used ``when``. Raises ValueError for dimensions that are none."""
        found: dict[str, str] = {}
        for pair in filter(None, (each.strip() for each in self.dimensions.split(","))):
            name, sign, value = (part.strip() for part in pair.partition("="))
            if not (name and sign):
                raise ValueError("Write dimensions as name=value, such as model=gpt-5, region=eu.")
            found[name] = value
        row = {"meter": self.meter, "quantity": typed.number(self.quantity), **when}
        return {**row, "dimensions": found} if found else row


class AdviceForm(forms.Form):
    """The question; the rows of a typed workload stand beside the fields."""

    customer = forms.CharField(
        required=False,
        max_length=100,
        label="Customer’s key",
        widget=forms.TextInput(attrs={"class": "c-input", "list": "customers", "autocomplete": "off"}),
    )
    first_month = MonthField(required=False, label="From the month")
    last_month = MonthField(required=False, label="To the month", help_text="Empty: the first one alone.")
    plans = forms.MultipleChoiceField(
        label="Plans to compare",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one plan.",
            "invalid_choice": "There is no plan “%(value)s”.",
        },
    )
    spread = forms.ChoiceField(
        required=False,
        label="When it is used",
        choices=[("", "it does not matter"), ("even", "evenly over the month")],
        help_text="Plans that price by the hour or the time of day need to know, and take longer.",
        widget=forms.Select(attrs={"class": "c-input"}),
    )
    budget = NumberField(
        label="What a month may cost", help_text="Tells in how many months each plan stays below it."
    )

    def __init__(
        self,
        asked: QueryDict | None,
        *,
        plans: Sequence[tuple[str, str]],
        may_see_usage: bool,
        initial: Mapping[str, Any],
    ) -> None:
        super().__init__(asked, initial=dict(initial))
        self.fields["plans"].choices = plans
        if not may_see_usage:
            for name in ("customer", "first_month", "last_month"):
                del self.fields[name]
        self.rows = _rows(asked)

    @property
    def shown_rows(self) -> list[Row]:
        """The rows that were typed, and some to go on with."""
        return [*self.rows, *(Row() for _ in range(ROWS_SPARE if self.rows else 2 * ROWS_SPARE))]

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        if chosen.get("customer") and self.rows:
            self.add_error("customer", "Give either a customer or quantities, not both.")
        elif not chosen.get("customer") and not self.rows:
            raise forms.ValidationError(
                "Say what is used: type meters and quantities"
                + (", or choose a customer and months." if "customer" in self.fields else ".")
            )
        if len(chosen.get("plans", ())) > PLANS_MAX:
            self.add_error("plans", f"At most {PLANS_MAX} plans are compared at once.")
        if len(self.rows) > ROWS_MAX:
            raise forms.ValidationError(f"At most {ROWS_MAX} quantities can be typed here.")
        for row in self.rows:
            try:
                row.written({})
            except ValueError as error:
                row.errors.append(str(error))
                self.add_error(None, "What is wrong stands beside the quantity.")
        return chosen

    def request(self, month: Period) -> dict[str, Any]:
        """The request for advice that a valid form makes; what was typed is of the month."""
        chosen = self.cleaned_data
        start, end = (periods.format_instant(at) for at in (month.start, month.end))
        if chosen.get("customer"):
            months = ("first_month", "last_month")
            asked = {name: f"{chosen[name]:%Y-%m}" for name in months if chosen[name]}
            workload: dict[str, Any] = {"customer": chosen["customer"], **asked}
        else:
            when = {"at": start, "until": end} if chosen["spread"] else {}
            workload = {"usage": [row.written(when) for row in self.rows]}
        made = {"workload": workload, "plans": chosen["plans"], "period": {"start": start, "end": end}}
        if chosen["spread"] and not chosen.get("customer"):
            # Every quarter hour is priced again for each point: there is time for the curves of all usage.
            made["vary"] = [{}]
        return {**made, "budget": chosen["budget"]} if chosen["budget"] else made

    def tell(self, error: DocumentError) -> None:
        """Says what is wrong with the request beside the row or the field that it is about."""
        row = _ROW.match(error.field)
        if error.field.startswith("vary"):
            self.add_error(None, "Where the cheapest changes can be told of quantities above 0 only.")
            return
        if row is None:
            typed.tell(self, error, PLACES)
            return
        self.rows[int(row[1])].errors.append(f"{error.message[:1].upper()}{error.message[1:]}.")
        self.add_error(None, "What is wrong stands beside the quantity.")


def _rows(asked: QueryDict | None) -> list[Row]:
    if asked is None:
        return []
    columns = [asked.getlist(name) for name in ("meter", "quantity", "dimensions")]
    length = max(map(len, columns))
    filled = [[*column, *[""] * (length - len(column))] for column in columns]
    rows = [Row(*(text.strip() for text in texts)) for texts in zip(*filled, strict=True)]
    return [row for row in rows if not row.is_empty]
