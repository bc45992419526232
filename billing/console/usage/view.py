"""The usage explorer: a chart and a table of what a meter measured, and the same as a file."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone

from billing.console import months
from billing.console.fields import CUSTOMERS_MAX
from billing.console.usage import chart, figures, filters, lines
from billing.exports.csv import guard
from billing.models import Customer
from metering import numbers, periods, usage
from metering.console import pages
from metering.models import MeterVersion, patience
from metering.periods import Period
from metering.usage import Usage, tables

PERMISSION = "metering.view_usageseries"
TOO_SLOW = (
    "That is more usage than can be read while you wait: choose a longer window, a shorter time, a customer "
    "or a subject."
)


@pages.needs(PERMISSION)
def page(request: HttpRequest) -> HttpResponse:
    """The form, the chart and the table; where there is no meter yet, how to get one."""
    meters = figures.meters()
    if not meters:
        return pages.render(request, "usage.html", title="Usage")
    now = timezone.now()
    version, form = _asked(request, meters)
    month = months.chosen(request.GET, at=now)
    context: dict[str, Any] = {}
    if form.is_valid():
        try:
            context = _answered(request, version, form, _period(form, month))
        except (figures.TimeTooLong, tables.RowsTooMany) as error:
            context = {"refusal": _sentence(error)}
        except patience.TooSlow:
            context = {"refusal": TOO_SLOW}
    may_see_customers = request.user.has_perm("billing.view_customer")
    customers = Customer.objects.order_by("key").values_list("key", "name")
    kept = {name: value for name, value in form.data.items() if name in _KEPT and value}
    return pages.render(
        request,
        "usage.html",
        title="Usage",
        form=form,
        month=month,
        version=version,
        definition=usage.definition(version),
        is_about_month=not form.has_bounds,
        kept=kept,
        kept_query="&" + _encoded(kept),
        customers=customers[:CUSTOMERS_MAX] if may_see_customers else [],
        **context,
    )


@pages.needs(PERMISSION)
def download(request: HttpRequest) -> HttpResponse:
    """All rows as CSV; where there cannot be a file, back to the page that says why."""
    meters = figures.meters()
    back = redirect(f"../?{request.GET.urlencode()}")
    if not meters:
        return back
    version, form = _asked(request, meters)
    if not form.is_valid():
        return back
    period = _period(form, months.chosen(request.GET, at=timezone.now()))
    try:
        answer = _answer(version, form, period)
    except (figures.TimeTooLong, tables.RowsTooMany) as error:
        messages.error(request, _sentence(error))
        return back
    except patience.TooSlow:
        messages.error(request, TOO_SLOW)
        return back
    name = f"usage-{version.meter.slug}-{period.start:%Y%m%d}-{period.end:%Y%m%d}.csv"
    file = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    writer = csv.writer(file)
    writer.writerow(["window_start", "window_end", *form.by, "quantity", "quantity_exact", "events"])
    writer.writerows(_written(row, form.by) for row in answer.rows)
    return file


_KEPT = ("meter", "customer", "subject", "window", "split", "zone")


def _asked(request: HttpRequest, meters: Mapping[str, MeterVersion]) -> tuple[MeterVersion, filters.Question]:
    """The meter that is asked, the first one where none is named, and the form with its defaults."""
    asked = request.GET.copy()
    first = next(iter(meters))
    for name, value in {"meter": first, **filters.DEFAULTS}.items():
        if not asked.get(name):
            asked[name] = value
    version = meters.get(asked["meter"], meters[first])
    return version, filters.Question(asked, meters=meters, definition=usage.definition(version))


def _period(form: filters.Question, month: months.Month) -> Period:
    """The typed time, or the month on the clock of the zone."""
    chosen = form.cleaned_data
    if chosen["time_from"]:
        return Period(chosen["time_from"], chosen["time_until"])
    return periods.month_period(month.first.year, month.first.month, chosen["zone"])


def _answer(version: MeterVersion, form: filters.Question, period: Period) -> figures.Answer:
    chosen = form.cleaned_data
    with patience.answer_in_time():
        spans = figures.spans(
            version=version, period=period, customer=chosen["customer"], subject=chosen["subject"]
        )
        return figures.answer(version=version, period=period, spans=spans, by=form.by, cut=form.windows)


def _answered(
    request: HttpRequest, version: MeterVersion, form: filters.Question, period: Period
) -> dict[str, Any]:
    answer = _answer(version, form, period)
    definition, chosen = usage.definition(version), form.cleaned_data
    is_of_everybody = chosen["customer"] is None and not chosen["subject"]
    only = answer.subjects[0] if len(answer.subjects) == 1 else None
    drawn = chart.of(
        rows=answer.rows,
        windows=answer.windows,
        cut=form.windows,
        split=chosen["split"],
        unit=definition.unit,
        is_additive=definition.additive,
    )
    return {
        "period": period,
        "answer": answer,
        "total": None if answer.total is None else numbers.shown(answer.total)[0],
        "chart": drawn if answer.rows else None,
        "lines": lines.of(
            rows=answer.rows,
            cut=form.windows,
            period=period,
            split=chosen["split"],
            definition=definition,
            subject="" if is_of_everybody else only,
            asked=request.GET,
        ),
    }


def _written(row: Usage, by: list[str]) -> list[str]:
    assert row.window is not None
    text, fraction = numbers.shown(row.quantity)
    return [
        _instant(row.window.start),
        _instant(row.window.end),
        *(guard(row.dimensions[name]) for name in by),
        text,
        fraction or "",
        str(row.count),
    ]


def _instant(at: datetime) -> str:
    return periods.format_instant(at)


def _encoded(kept: Mapping[str, str]) -> str:
    query = QueryDict(mutable=True)
    query.update(kept)
    return query.urlencode()


def _sentence(error: Exception) -> str:
    text = str(error).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
