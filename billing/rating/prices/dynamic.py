"""dynamic: the amounts that the events carry."""

from fractions import Fraction

from billing.documents.prices import Dynamic
from billing.rating import event_amounts
from billing.rating.statement import Step
from billing.rating.use import Use
from metering import numbers


def steps(price: Dynamic, use: Use) -> list[Step]:
    """The sum of the events' amounts, and the markup. Raises DocumentError `unpriced` for an event without
    an amount.
    """
    total = sum((event_amounts.amount_of(price, row, use.currency) for row in use.events), Fraction(0))
    found = [Step.plain(f"{len(use.events)} events: {numbers.shown(total)[0]}", total)]
    if price.markup_percent:
        markup = total * Fraction(price.markup_percent) / 100
        found.append(
            Step.plain(f"{numbers.text(price.markup_percent)}% markup: {numbers.shown(markup)[0]}", markup)
        )
    return found
