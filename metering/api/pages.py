"""Pages of lists, all of one shape: {"<what>": [...], "next": the cursor of the page behind it, or null}.

A page begins behind the key of the last row of the one before: so it costs the same however far behind it is,
and rows that are added meanwhile neither repeat nor hide another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from metering.api.parameters import LIMIT_MAX, LIMIT_USUAL, Parameters, text


class PagesByText(Parameters):
    """Of a list in the order of a name. ``cursor``: the value of ``next`` of the page before."""

    limit = serializers.IntegerField(default=LIMIT_USUAL, min_value=1, max_value=LIMIT_MAX)
    cursor = text()


class PagesByNumber(Parameters):
    """Of a list in the order of a number. ``cursor``: the value of ``next`` of the page before."""

    limit = serializers.IntegerField(default=LIMIT_USUAL, min_value=1, max_value=LIMIT_MAX)
    cursor = serializers.RegexField(
        "^[0-9]{1,18}$",
        required=False,
        error_messages={"invalid": "take the value of `next` as it stands in a page"},
    )


@dataclass(frozen=True)
class Page:
    """``next``: the cursor of the page behind it; null where this is the last one."""

    rows: Sequence[Any]
    next: str | None


def page(rows: QuerySet, *, by: str, asked: Mapping[str, Any], is_descending: bool = False) -> Page:
    """The page of ``rows`` that was asked for, in the order of the unique column ``by``."""
    if "cursor" in asked:
        rows = rows.filter(**{f"{by}__{'lt' if is_descending else 'gt'}": asked["cursor"]})
    found = list(rows.order_by(f"-{by}" if is_descending else by)[: asked["limit"] + 1])
    shown = found[: asked["limit"]]
    return Page(shown, str(getattr(shown[-1], by)) if len(found) > len(shown) else None)
