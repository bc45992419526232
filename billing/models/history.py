"""What plans, customers and subscriptions were like after each change, who changed them, and when.

The rows are written by triggers, so that no change gets past them, whoever makes it; the database refuses to
change or delete them. ``pgh_context`` says who it was, see `billing.acting`. What the invoice run writes to
every subscription is left out, and so are published documents, which never change.

After a column was added to one of these models, `makemigrations` adds it here, and writes the trigger anew.
"""

from __future__ import annotations

from typing import Any

import pghistory
from django.db import models

from billing.models.catalog import Plan, PlanVersion
from billing.models.customer import Customer, CustomerSubject
from billing.models.subscription import Subscription, SubscriptionPause, SubscriptionPhase

_WRITTEN_BY_RUNS = ["next_billing_at", "next_advance_at"]
_DOCUMENTS = ["document", "resolved_document", "price_sources"]


def _history(model: type[models.Model], *, exclude: list[str] | None = None, is_fixed: bool = False) -> Any:
    changes = () if is_fixed else (pghistory.UpdateEvent(), pghistory.DeleteEvent())
    return pghistory.create_event_model(
        model,
        pghistory.InsertEvent(),
        *changes,
        exclude=exclude,
        obj_field=pghistory.ObjForeignKey(related_name="history"),
        context_field=pghistory.ContextJSONField(),
        append_only=True,
    )


class PlanHistory(_history(Plan)):
    """A plan after a change."""


class PlanVersionHistory(_history(PlanVersion, exclude=_DOCUMENTS, is_fixed=True)):
    """That a version was published."""


class CustomerHistory(_history(Customer)):
    """A customer after a change."""


class CustomerSubjectHistory(_history(CustomerSubject)):
    """That a customer pays for a subject, after a change."""


class SubscriptionHistory(_history(Subscription, exclude=_WRITTEN_BY_RUNS)):
    """A subscription after a change."""


class SubscriptionPhaseHistory(_history(SubscriptionPhase)):
    """A phase of a subscription after a change, or as it was before it was taken away."""


class SubscriptionPauseHistory(_history(SubscriptionPause)):
    """A pause of a subscription after a change, or as it was before it was taken away."""
