"""The price models, one file each, all of one shape: `steps(price, use)` explains what a use costs."""

from collections.abc import Callable
from typing import Any

from billing.documents import prices as documents
from billing.rating.prices import (
    dynamic,
    flat,
    graduated,
    graduated_percentage,
    matrix,
    package,
    per_unit,
    percentage,
    time_of_use,
    volume,
)
from billing.rating.statement import Step
from billing.rating.use import Use
from metering.documents.errors import DocumentError

_STEPS: dict[type[Any], Callable[[Any, Use], list[Step]]] = {
    documents.Flat: flat.steps,
    documents.PerUnit: per_unit.steps,
    documents.Package: package.steps,
    documents.Graduated: graduated.steps,
    documents.Volume: volume.steps,
    documents.Percentage: percentage.steps,
    documents.GraduatedPercentage: graduated_percentage.steps,
    documents.Matrix: matrix.steps,
    documents.TimeOfUse: time_of_use.steps,
    documents.Dynamic: dynamic.steps,
}


def steps(price: documents.Price, use: Use) -> list[Step]:
    """What the use costs under the price, step by step, unrounded. Raises DocumentError for usage without
    a price.
    """
    if type(price) not in _STEPS:
        raise DocumentError(
            "unpriced", f"the price model {price.model} has no prices before its plan is published"
        )
    return _STEPS[type(price)](price, use)
