"""The values that shapes are made of."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

Amount = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", description="a decimal, every digit of it")]
Quantity = Annotated[
    str, Meta(description="a decimal; one that never ends is cut, see the exact member beside it")
]
Exact = Annotated[
    str, Meta(pattern="^-?[0-9]+/[0-9]+$", description="the fraction, where no decimal equals it")
]
Date = Annotated[str, Meta(extra_json_schema={"format": "date"})]
Document = Annotated[dict[str, Any], Meta(description="a plan document, see the reference of plans")]
