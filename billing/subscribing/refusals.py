"""Why something cannot be agreed. Each error has a ``field``: the argument at fault."""

from __future__ import annotations


class SubscriptionRefused(Exception):
    """A subscription or the assignment of a subject cannot be made; ``field`` names the argument at fault."""

    field = ""


class CurrencyDiffers(SubscriptionRefused):
    """The customer pays in another currency than the plan's, or than the customer merged into it."""

    field = "plan"


class SubscriptionEndsBeforeItsStart(SubscriptionRefused):
    """The end is not after the start."""

    field = "end_at"


class TrialEndsBeforeItsStart(SubscriptionRefused):
    """The trial would end before the subscription starts, or at once."""

    field = "trial_end_at"


class SubscriptionKeyTaken(SubscriptionRefused):
    """Another subscription has this key already."""

    field = "key"


class PhasesOutOfOrder(SubscriptionRefused):
    """Phases must follow each other inside the subscription."""

    field = "phases"


class CustomerMerged(SubscriptionRefused):
    """Another customer has taken over everything of this one."""

    field = "customer"


class MergedWithItself(SubscriptionRefused):
    """A customer cannot be merged into itself."""

    field = "into"


class SubscriptionNotBegun(SubscriptionRefused):
    """The change would take effect before the subscription starts."""

    field = "effective_at"


class SubscriptionEnded(SubscriptionRefused):
    """The subscription has ended by the instant at which the change would take effect."""

    field = "effective_at"


class PeriodFinalized(SubscriptionRefused):
    """The change would take effect inside a period that has a finalized invoice."""

    field = "effective_at"


class FeesInvoicedInAdvance(SubscriptionRefused):
    """Nothing would be left of a period whose fees were invoiced in advance: no later invoice could give them
    back.
    """

    field = "effective_at"


class NothingChanges(SubscriptionRefused):
    """The subscription, or the subject, is as it is to be already."""


class AlreadyPaused(SubscriptionRefused):
    """The subscription rests already at some time of the pause."""

    field = "effective_at"


class PauseEmpty(SubscriptionRefused):
    """The pause would end before it begins, or at once."""

    field = "until_at"


class NotPaused(SubscriptionRefused):
    """The subscription does not rest at the instant."""

    field = "effective_at"


class ValidityEmpty(SubscriptionRefused):
    """A subject would be paid for during no time at all, or from no instant on."""

    field = "validity"


class SubjectInvoicedOtherwise(SubscriptionRefused):
    """Another subscription was invoiced for the subject's usage in that time."""

    field = "subject"


class SubscriptionOfAnotherCustomer(SubscriptionRefused):
    """A subject cannot be charged to the subscription of somebody who does not pay for it."""

    field = "subscription"


class SubjectAlreadyPaidFor(SubscriptionRefused):
    """At some instant of the validity the subject has a payer already."""

    field = "subject"


class SubjectNotPaidFor(SubscriptionRefused):
    """Nobody pays for the subject at the instant."""

    field = "subject"


class SubjectsNotAssigned(SubscriptionRefused):
    """Two subscriptions of a customer price a meter, and nobody said which one pays for a subject."""

    field = "subject"


class TimezoneUnknown(SubscriptionRefused):
    """The name is no time zone."""

    field = "timezone"
