"""The page of prices over time: of models on the market, of rented GPUs, of the own plans, and beside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from billing.console.trends import charts, form
from billing.models import Plan
from billing.trends import beside, gpus, market, own
from billing.trends.beside import Asked
from metering.console import pages

PERMISSION = "billing.view_plan"
MARKET, GPUS, PLANS, BESIDE = "market", "gpus", "plans", "beside"
TABS = {
    MARKET: "Market prices",
    GPUS: "GPU rents",
    PLANS: "Own prices",
    BESIDE: "Own beside the market",
}
ROWS_MAX = 50
SERIES_MAX = 500
# A first picture, before anybody has asked.
FIRST_MARKET = {"kind": "output", "provider": "openai"}
FIRST_GPU = "H100"
SEPARATOR = " / "


@pages.needs(PERMISSION)
def page(request: HttpRequest) -> HttpResponse:
    """The tab of ``?about=``, with its form, its chart and its table."""
    about = request.GET.get("about", MARKET)
    about = about if about in TABS else MARKET
    asked = request.GET.copy()
    context = _VIEWS[about](asked, timezone.now().date())
    shown = context["form"]
    kind, provider = asked.get("kind", "output"), asked.get("provider", "")
    return pages.render(
        request,
        "trends.html",
        title="Price trends",
        about=about,
        tabs=TABS.items(),
        providers=form.providers(kind) if about in (MARKET, BESIDE) else [],
        models=form.models(kind, provider) if about in (MARKET, BESIDE) else [],
        status=400 if shown is not None and shown.errors else 200,
        **context,
    )


def _market(asked: QueryDict, _today: date) -> dict[str, Any]:
    if not any(name in asked for name in form.MarketForm.base_fields):
        asked.update(FIRST_MARKET)
    _default(asked, "kind", "output")
    shown = form.MarketForm(asked)
    if not shown.is_valid():
        return {"form": shown}
    try:
        answer = market.answer(shown.chosen())
    except market.PointsTooMany as error:
        shown.add_error("provider", _sentence(error))
        return {"form": shown}
    points = answer["points"]
    return {
        "form": shown,
        "answer": answer,
        "drawn": charts.market(answer) if points else None,
        "rows": points[::-1][:ROWS_MAX],
    }


def _gpus(asked: QueryDict, _today: date) -> dict[str, Any]:
    if "gpu" not in asked:
        asked["gpu"] = FIRST_GPU
    shown = form.GpuForm(asked)
    if not shown.is_valid():
        return {"form": shown}
    chosen = shown.cleaned_data
    answer = gpus.answer(family=chosen["gpu"] or None, source_kind=chosen["source_kind"] or None)
    return {
        "form": shown,
        "answer": answer,
        "drawn": charts.rents(answer) if answer["points"] else None,
        "kinds": [
            {**each, "title": form.SOURCE_KINDS[each["source_kind"]]} for each in answer["by_source_kind"]
        ],
        "rows": answer["points"][::-1][:ROWS_MAX],
    }


def _plans(asked: QueryDict, today: date) -> dict[str, Any]:
    plans = list(Plan.objects.order_by("name", "pk").values_list("code", "name"))
    if not plans:
        return {"form": None}
    _default(asked, "plan", plans[0][0])
    shown = form.PlanForm(asked, plans=[(code, f"{name} ({code})") for code, name in plans])
    if not shown.is_valid():
        return {"form": shown}
    series = own.answer(plan=shown.cleaned_data["plan"])["series"][:SERIES_MAX]
    return {
        "form": shown,
        "series": series,
        "series_max": charts.SERIES_MAX,
        "drawn": charts.own(series[: charts.SERIES_MAX], today=today) if series else None,
    }


def _beside(asked: QueryDict, today: date) -> dict[str, Any]:
    owns = [
        (SEPARATOR.join((each["plan"], each["component"], each["price"])), f"{each['plan']}: {each['name']}")
        for each in own.answer()["series"]
        if each["currency"] == "USD" and each["meter"]
    ]
    if not owns:
        return {"form": None}
    for name, value in {
        "kind": "output",
        "per": "1000000",
        "first": form.year_until(today).isoformat(),
        "last": today.isoformat(),
    }.items():
        _default(asked, name, value)
    labelled = [(value, f"{label}, {value.rsplit(SEPARATOR, 1)[-1]}") for value, label in owns]
    if "own" not in asked:
        return {"form": form.BesideForm(None, owns=labelled, initial=asked.dict())}
    shown = form.BesideForm(asked, owns=labelled)
    return {"form": shown, **_compared(shown)} if shown.is_valid() else {"form": shown}


def _compared(shown: form.BesideForm) -> dict[str, Any]:
    """The own price and the market's, or nothing where the form says why they cannot be compared."""
    chosen = shown.cleaned_data
    plan, component, path = chosen["own"].split(SEPARATOR)
    try:
        answer = beside.answer(
            Asked(
                plan=plan,
                component=component,
                chosen=shown.chosen(),
                first=chosen["first"],
                last=chosen["last"],
                path=path,
                per=chosen["per"],
            )
        )
    except beside.NotComparable as error:
        shown.add_error("model" if "market" in str(error) else None, _sentence(error))
        return {}
    days = charts.turning_days(answer["days"])
    return {
        "answer": answer,
        "drawn": charts.beside(days, unit=answer["unit"]),
        "rows": days[::-1][:ROWS_MAX],
        "latest": days[-1],
    }


def _default(asked: QueryDict, name: str, value: str) -> None:
    if not asked.get(name):
        asked[name] = value


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


_VIEWS: dict[str, Callable[[QueryDict, date], dict[str, Any]]] = {
    MARKET: _market,
    GPUS: _gpus,
    PLANS: _plans,
    BESIDE: _beside,
}
