"""What service periods carry: their lines and discounts, less what credit notes took back of them.

Every caller that rates a period again, for an invoice, an adjustment or a comparison, takes it from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from billing.models import CreditNoteLine, InvoiceLine, ServicePeriod
from billing.rating import Billed
from billing.rating.statement import PLAN_DISCOUNT


def by_row(rows: Iterable[ServicePeriod]) -> Mapping[int, list[Billed]]:
    """What each stored row carries, by its id, in at most two SQL statements.

    An adjustment counts for the line that it changes. Of credit notes only lines that name a service period
    are taken off: what a person gave on top of what was due stays given, however often a period is rated.
    """
    rows = list(rows)
    found: dict[int, list[Billed]] = defaultdict(list)
    if not rows:
        return found
    lines = InvoiceLine.objects.filter(service_period__in=rows).order_by("service_period_id", "position")
    columns = ("component", "group", "dimensions", "kind", "adjusts", "amount")
    for period_id, component, group, dimensions, kind, adjusts, amount in lines.values_list(
        "service_period_id", *columns
    ):
        found[period_id].append(Billed(component, group, dimensions, adjusts or kind, amount))
    for row in rows:
        for place, discount in enumerate(row.discounts):
            found[row.pk].append(_discount(place, Decimal(discount["amount"])))
    for line in CreditNoteLine.objects.filter(service_period__in=rows).order_by("pk"):
        found[line.service_period_id].append(
            Billed(line.component, line.group, line.dimensions, line.kind, line.amount.copy_negate())
        )
    return found


def _discount(place: int, amount: Decimal) -> Billed:
    """A discount as billing counts it: by its place in the plan, with a negative amount."""
    return Billed(str(place), None, {}, PLAN_DISCOUNT, amount.copy_negate())
