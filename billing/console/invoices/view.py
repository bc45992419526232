"""The list of invoices: by month and state, with totals by currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from billing.console import keysets, months
from billing.console.invoices import filters
from billing.invoicing import paying
from billing.invoicing.paying import Standing
from billing.models import Invoice
from metering.console import pages

LABELS = {state.value: state.label for state in Invoice.State}


@dataclass(frozen=True)
class Total:
    """How many invoices of a state there are in a currency, and what they come to."""

    currency: str
    state: str
    label: str
    number: int
    amount: Decimal


@dataclass(frozen=True)
class Row:
    """An invoice, and what became of its total; None where it has charged nothing (yet)."""

    invoice: Invoice
    standing: Standing | None


@pages.needs("billing.view_invoice")
def page(request: HttpRequest) -> HttpResponse:
    """The invoices of ``?month=2020-05``, newest first, a page by id."""
    now = timezone.now()
    month = months.chosen(request.GET, at=now)
    form = filters.Filters(request.GET)
    form.is_valid()
    found = filters.apply(form, month=month.first, today=now.date())
    listed = keysets.by_id(found.select_related("customer"), query=request.GET)
    kept = {name: request.GET[name] for name in ("state", "text") if request.GET.get(name)}
    return pages.render(
        request,
        "invoices.html",
        title="Invoices",
        month=month,
        form=form,
        kept=kept,
        kept_query=keysets.kept_query(kept),
        totals=_totals(found),
        rows=listed,
        shown=_with_standings(listed.rows),
        is_empty=not Invoice.objects.exists(),
    )


def _totals(found: QuerySet[Invoice]) -> list[Total]:
    sums = found.order_by().values("currency", "state").annotate(number=Count("pk"), amount=Sum("total"))
    return [
        Total(row["currency"], row["state"], LABELS[row["state"]], row["number"], row["amount"])
        for row in sums.order_by("currency", "state")
    ]


def _with_standings(found: Sequence[Invoice]) -> list[Row]:
    charged = [each for each in found if each.state in (Invoice.State.FINALIZED, Invoice.State.PAID)]
    standings = paying.standings(invoices=charged)
    return [Row(each, standings.get(each.pk)) for each in found]
