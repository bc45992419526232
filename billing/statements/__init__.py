"""What is due for a subscription and a period: the one step from usage and price versions to a statement.

Drafts, previews and reconciling all come through here.
"""

from billing.statements.payers import SubjectsNotAssigned
from billing.statements.phases import (
    OutsideSubscription,
    PlanChangesInsidePeriod,
    StatementRefused,
    billed_period,
    period_holding,
)
from billing.statements.statement import MeterMissing, Rated, of

__all__ = [
    "MeterMissing",
    "OutsideSubscription",
    "PlanChangesInsidePeriod",
    "Rated",
    "StatementRefused",
    "SubjectsNotAssigned",
    "billed_period",
    "of",
    "period_holding",
]
