"""The JSON Schemas of trends."""

from __future__ import annotations

from typing import Any

from billing.estimating.answers import COUNT, NUMBER, TEXT, TEXTS, listing, mapping, or_null
from billing.trends.gpus import SOURCE_KINDS
from billing.trends.history import KINDS

_DATE: dict[str, Any] = {"type": "string", "format": "date"}
_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}
_FLAG: dict[str, Any] = {"type": "boolean"}
_FIT = mapping(
    {
        **dict.fromkeys(("factor_a_year", "low", "high", "confidence_percent", "words"), TEXT),
        "points": COUNT,
        "first": _DATE,
        "last": _DATE,
    }
)
_FITTED = {"fit": or_null(_FIT), "fit_refused": or_null(TEXT)}
_TURN = mapping(
    {
        **{f"{name}_date": _DATE for name in ("first", "lowest", "last")},
        **{f"{name}_price": NUMBER for name in ("first", "lowest", "last")},
    }
)
_RENTAL = mapping(
    {
        "date": _DATE,
        **dict.fromkeys(("gpu", "family", "provider", "tier", "basis", "source"), TEXT),
        "price": NUMBER,
        "source_kind": {"enum": list(SOURCE_KINDS)},
    }
)


def market() -> dict[str, Any]:
    """The JSON Schema of market prices of models."""
    point = {"date": _DATE, "provider": TEXT, "model": TEXT, "price": NUMBER, "source": TEXT}
    return mapping(
        {
            "kind": {"enum": list(KINDS)},
            "unit": TEXT,
            "points": listing(mapping(point)),
            **_FITTED,
            "sources": TEXTS,
            "note": TEXT,
        }
    )


def gpus() -> dict[str, Any]:
    """The JSON Schema of prices of rented GPUs."""
    by_kind = {"source_kind": TEXT, "points": COUNT, **_FITTED, "turn": or_null(_TURN)}
    return mapping(
        {
            "unit": TEXT,
            "families": TEXTS,
            "points": listing(_RENTAL),
            "by_source_kind": listing(mapping(by_kind)),
        }
    )


def own() -> dict[str, Any]:
    """The JSON Schema of the own plans' prices."""
    point = {
        "version": COUNT,
        "effective_at": or_null(_INSTANT),
        "published_at": _INSTANT,
        "amount": NUMBER,
    }
    series = {
        **dict.fromkeys(("plan", "component", "name", "price", "currency"), TEXT),
        "meter": or_null(TEXT),
        "points": listing(mapping(point)),
    }
    return mapping({"series": listing(mapping(series)), "is_cut": _FLAG})


def beside() -> dict[str, Any]:
    """The JSON Schema of an own price beside the market's."""
    day = {
        "date": _DATE,
        **dict.fromkeys(("own", "market", "ratio"), or_null(NUMBER)),
        "source": or_null(TEXT),
    }
    return mapping(
        {
            **dict.fromkeys(("plan", "component", "unit", "note"), TEXT),
            "kind": {"enum": list(KINDS)},
            "days": listing(mapping(day)),
        }
    )
