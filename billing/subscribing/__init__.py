"""Writes who is on which plan from when on, and who pays for which subject.

Locks are taken in the order customers, subscriptions, plans. An error leaves nothing half done.
"""

from billing.subscribing.assigning import assign_subject, charge_subject, move_subject
from billing.subscribing.beginning import Agreed, subscribe
from billing.subscribing.changing import change_overrides, change_plan, change_quantity
from billing.subscribing.ending import cancel, keep, period_end
from billing.subscribing.merging import merge
from billing.subscribing.pausing import pause, resume
from billing.subscribing.recounting import change_anchor, change_timezone
from billing.subscribing.refusals import (
    AlreadyPaused,
    CurrencyDiffers,
    CustomerMerged,
    FeesInvoicedInAdvance,
    MergedWithItself,
    NothingChanges,
    NotPaused,
    PauseEmpty,
    PeriodFinalized,
    PhasesOutOfOrder,
    SubjectAlreadyPaidFor,
    SubjectInvoicedOtherwise,
    SubjectNotPaidFor,
    SubjectsNotAssigned,
    SubscriptionEnded,
    SubscriptionEndsBeforeItsStart,
    SubscriptionKeyTaken,
    SubscriptionNotBegun,
    SubscriptionOfAnotherCustomer,
    SubscriptionRefused,
    TimezoneUnknown,
    TrialEndsBeforeItsStart,
    ValidityEmpty,
)
from billing.subscribing.releasing import release_subject

__all__ = [
    "Agreed",
    "AlreadyPaused",
    "CurrencyDiffers",
    "CustomerMerged",
    "FeesInvoicedInAdvance",
    "MergedWithItself",
    "NotPaused",
    "NothingChanges",
    "PauseEmpty",
    "PeriodFinalized",
    "PhasesOutOfOrder",
    "SubjectAlreadyPaidFor",
    "SubjectInvoicedOtherwise",
    "SubjectNotPaidFor",
    "SubjectsNotAssigned",
    "SubscriptionEnded",
    "SubscriptionEndsBeforeItsStart",
    "SubscriptionKeyTaken",
    "SubscriptionNotBegun",
    "SubscriptionOfAnotherCustomer",
    "SubscriptionRefused",
    "TimezoneUnknown",
    "TrialEndsBeforeItsStart",
    "ValidityEmpty",
    "assign_subject",
    "cancel",
    "change_anchor",
    "change_overrides",
    "change_plan",
    "change_quantity",
    "change_timezone",
    "charge_subject",
    "keep",
    "merge",
    "move_subject",
    "pause",
    "period_end",
    "release_subject",
    "resume",
    "subscribe",
]
