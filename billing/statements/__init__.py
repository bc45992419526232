"""What is due for a subscription and a period: the one step from usage and price versions to a statement.

Drafts, previews and reconciling all come through here.
"""

from billing.statements.payers import SubjectsNotAssigned
from billing.statements.phases import (
    OutsideSubscription,
    Piece,
    PlanChangesInsidePeriod,
    StatementRefused,
    billed_period,
    period_holding,
    piece_holding,
    pieces,
)
from billing.statements.statement import REFUSALS, MeterMissing, Rated, Request, of, of_many

__all__ = [
    "REFUSALS",
    "MeterMissing",
    "OutsideSubscription",
    "Piece",
    "PlanChangesInsidePeriod",
    "Rated",
    "Request",
    "StatementRefused",
    "SubjectsNotAssigned",
    "billed_period",
    "of",
    "of_many",
    "period_holding",
    "piece_holding",
    "pieces",
]
