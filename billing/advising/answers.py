"""The JSON Schema of advice."""

from typing import Any

from billing import estimating
from billing.estimating.answers import COUNT, NUMBER, TEXT, TEXTS, listing, mapping, or_null

_PERIOD = {
    "start": {"type": "string", "format": "date-time"},
    "end": {"type": "string", "format": "date-time"},
}
_FLAG = {"type": "boolean"}
_OBJECT = {"type": "object"}


def _exact(*names: str) -> dict[str, Any]:
    """Numbers, each with the fraction beside it where no decimal ends."""
    return {key: schema for name in names for key, schema in ((name, NUMBER), (f"{name}_exact", TEXT))}


def _exact_keys(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}_exact" for name in names)


_DECIDING = mapping(
    {
        "component": or_null(TEXT),
        **dict.fromkeys(("name", "kind", "mode", "unit"), TEXT),
        **_exact("quantity"),
        "amount": NUMBER,
        "share_percent": NUMBER,
    },
    optional=_exact_keys("quantity"),
)
_ERROR = mapping(
    {
        **dict.fromkeys(("code", "message", "field"), TEXT),
        "meter": or_null(TEXT),
        "dimensions": {"type": "object", "additionalProperties": TEXT},
        "month": mapping(_PERIOD),
    }
)
_PLAN = mapping(
    {
        **dict.fromkeys(("plan", "code", "name", "currency"), TEXT),
        "status": {"enum": ["priced", "unpriced", "refused"]},
        "is_compared": _FLAG,
        **dict.fromkeys(("total", "average", "lowest", "highest", "difference"), or_null(NUMBER)),
        "months_within_budget": or_null(COUNT),
        "modes": TEXTS,
        "deciding": listing(_DECIDING),
        "left_out": TEXTS,
        "months": listing(mapping({**_PERIOD, "total": NUMBER, "statement": _OBJECT})),
        "error": or_null(_ERROR),
    }
)
_POINT = mapping(
    {
        **_exact("at", "until"),
        "below": TEXT,
        "above": TEXT,
        "amount": or_null(NUMBER),
        "amount_exact": TEXT,
        "is_exact": _FLAG,
    },
    optional=_exact_keys("at", "until", "amount"),
)
_BREAK_EVEN = mapping(
    {
        "meter": or_null(TEXT),
        "unit": TEXT,
        **dict.fromkeys(("from", "to", "now"), NUMBER),
        "points": listing(_POINT),
        "cheapest": listing(
            mapping({**_exact("from", "to"), "plan": TEXT}, optional=_exact_keys("from", "to"))
        ),
        "curves": listing(
            mapping({"plan": TEXT, "is_exact": _FLAG, "reason": TEXT, "corners": listing(listing(NUMBER))})
        ),
    }
)
_BUDGET = mapping(
    {
        "amount": NUMBER,
        "plans": listing(mapping({"plan": TEXT, "months_within": COUNT, "months": COUNT})),
    }
)
_SUBSCRIPTION = mapping(
    {
        "key": or_null(TEXT),
        "customer": or_null(TEXT),
        "plan": TEXT,
        "start_at": _PERIOD["start"],
        "overrides": _OBJECT,
    }
)


def schema() -> dict[str, Any]:
    """The JSON Schema of the answer to a request for advice; `statement` is that of quotes."""
    used = mapping({"meter": TEXT, "unit": TEXT, **_exact("quantity")}, optional=_exact_keys("quantity"))
    return mapping(
        {
            "currency": TEXT,
            "months": listing(mapping(_PERIOD)),
            "workload": listing(used),
            "plans": listing(_PLAN),
            "cheapest": or_null(TEXT),
            "why": TEXTS,
            "budget": or_null(_BUDGET),
            "break_evens": listing(_BREAK_EVEN),
            "estimate": or_null(estimating.answer_schema()),
            "documents": or_null(mapping({"plan": or_null(_OBJECT), "subscription": _SUBSCRIPTION})),
        }
    )
