"""What the money side refuses, as the API answers it: a status, a code, and the member at fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from rest_framework import exceptions

from billing import publishing, registering, statements, subscribing, taxing, versions
from billing.invoicing import crediting, drafting, finalizing, locking, paying, running, voiding

# Refused whatever is stored: the request itself is wrong.
INVALID: tuple[type[Exception], ...] = (
    crediting.CreditAmountInvalid,
    crediting.InvoiceLineUnknown,
    crediting.ReasonMissing,
    paying.PaymentAmountInvalid,
    paying.PaymentFromTheFuture,
    registering.CustomerInvalid,
    subscribing.MergedWithItself,
    subscribing.PauseEmpty,
    subscribing.PhasesOutOfOrder,
    subscribing.SubscriptionEndsBeforeItsStart,
    subscribing.TimezoneUnknown,
    subscribing.TrialEndsBeforeItsStart,
    subscribing.ValidityEmpty,
    taxing.PercentOutOfRange,
    taxing.RatesMissing,
    taxing.RatesOfUntaxed,
)
# Refused because of what is stored: the same request may be right at another time.
CONFLICTS: tuple[type[Exception], ...] = (
    crediting.CreditRefused,
    drafting.PeriodAlreadyInvoiced,
    drafting.PeriodNotEnded,
    finalizing.GraceNotOver,
    finalizing.InvoiceAlreadyFinalized,
    finalizing.InvoiceBlocked,
    finalizing.SellerMissing,
    locking.InvoiceGone,
    paying.InvoiceCredited,
    paying.InvoicePaidFor,
    paying.PaymentRefused,
    running.RunNotEnded,
    taxing.TaxRefused,
    voiding.InvoiceAlreadyReplaced,
    voiding.InvoiceAlreadyVoid,
    voiding.InvoiceNotFinalized,
    voiding.InvoiceNotVoid,
    voiding.InvoicePaid,
    registering.CustomerKeyTaken,
    subscribing.SubscriptionRefused,
    statements.StatementRefused,
    versions.PlanNotInForce,
    publishing.PublishingRefused,
)
# What an argument of ours is called in a body, where it is another name.
MEMBERS = {"validity": "end_at", "phases": "then"}


class Refused(exceptions.APIException):
    """A named refusal. The code is the name of the exception, in small letters."""

    def __init__(self, error: Exception, status: HTTPStatus, members: Mapping[str, str]) -> None:
        super().__init__(getattr(error, "message", None) or str(error), code(type(error)))
        self.status_code = status
        field = getattr(error, "field", "")
        self.field = members.get(field, field)


def of(error: Exception, members: Mapping[str, str] = MEMBERS) -> Exception:
    """The error as the API answers it, where it is a refusal; any other as it is.

    ``members``: what arguments are called in the body of the request.
    """
    if isinstance(error, INVALID):
        return Refused(error, HTTPStatus.BAD_REQUEST, members)
    if isinstance(error, CONFLICTS):
        return Refused(error, HTTPStatus.CONFLICT, members)
    return error


def code(kind: type[Exception]) -> str:
    """The code of a refusal: SubscriptionKeyTaken is subscription_key_taken."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()
