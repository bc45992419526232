"""What is due for a subscription and a period: the one step from usage and price versions to a statement.

Drafts, previews and reconciling all come through here.
"""

from billing.statements.contracts import MeterMissing
from billing.statements.pauses import Paused, paused
from billing.statements.payers import SubjectsNotAssigned
from billing.statements.phases import (
    OutsideSubscription,
    StatementRefused,
    period_holding,
    piece_holding,
    pieces,
)
from billing.statements.statement import REFUSALS, Rated, Request, of, of_many
from billing.timelines import Piece

__all__ = [
    "REFUSALS",
    "MeterMissing",
    "OutsideSubscription",
    "Paused",
    "Piece",
    "Rated",
    "Request",
    "StatementRefused",
    "SubjectsNotAssigned",
    "of",
    "of_many",
    "paused",
    "period_holding",
    "piece_holding",
    "pieces",
]
