"""Documents as YAML, in the order in which people write them: the database keeps no order of keys."""

from __future__ import annotations

from typing import Any

import yaml

# From what a thing is to what it costs; keys that are not here follow in the order of the alphabet.
ORDER = (
    *(
        "slug",
        "code",
        "name",
        "unit",
        "currency",
        "interval",
        "interval_count",
        "timezone",
        "event_type",
        "where",
    ),
    *(
        "aggregation",
        "mode",
        "meter",
        "value",
        "start",
        "end",
        "per",
        "quantity",
        "combine",
        "model",
        "by",
        "when",
    ),
    *(
        "up_to",
        "package_size",
        "package_amount",
        "unit_amount",
        "flat_amount",
        "amount",
        "compute",
        "storage",
    ),
    *("rates", "otherwise", "tiers", "included", "every", "price", "components", "discounts", "percent"),
    *(
        "discount_percent",
        "maximum",
        "minimum",
        "increment",
        "timing",
        "prorate",
        "dimensions",
        "path",
        "ranges",
    ),
    *("effective_at", "migration"),
)
_PLACE = {key: place for place, key in enumerate(ORDER)}


def of(document: Any) -> str:
    """The document as YAML that can be uploaded again and means the same."""
    return yaml.safe_dump(ordered(document), sort_keys=False, allow_unicode=True, width=100)


def ordered(value: Any) -> Any:
    """The document with its keys in the order in which people write them."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (_PLACE.get(key, len(ORDER)), key))
        return {key: ordered(value[key]) for key in keys}
    if isinstance(value, list):
        return [ordered(each) for each in value]
    return value
