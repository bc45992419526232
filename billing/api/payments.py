"""``/api/v1/invoices/{name}/payments``: what came in for an invoice, and what is still due of it."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import amounts, invoices, shapes
from billing.api.amounts import DecimalField
from billing.api.views import View, actor
from billing.invoicing import paying
from billing.models import Invoice, Payment
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body, TextField
from metering.api.effects import once
from metering.api.parameters import InstantField

_OWED = (Invoice.State.FINALIZED, Invoice.State.PAID)


class NewPayment(Body):
    """What came in, in the currency of the invoice; with a negative amount, what went back.

    ``received_at``: now, where it is not said. ``reference``: the bank's or the payer's words for it.
    """

    amount = DecimalField()
    received_at = InstantField(required=False)
    reference = TextField(required=False, allow_blank=True, default="", max_length=200)


class Payments(View):
    """The payments of an invoice."""

    @extend_schema(operation_id="list_payments", parameters=[pages.PagesByNumber], responses=shapes.Payments)
    def get(self, request: Request, name: str) -> Response:
        """A page of payments, the first one first, and what is due of the invoice."""
        asked = parameters.read(pages.PagesByNumber, request)
        invoice = invoices.of_name(name)
        page = pages.page(invoice.payments.all(), by="id", asked=asked)
        return Response(
            shapes.Payments(
                currency=invoice.currency,
                standing=_standing(invoice) if invoice.state in _OWED else None,
                payments=[_shown(each, invoice) for each in page.rows],
                next=page.next,
            )
        )

    @extend_schema(operation_id="record_payment", request=NewPayment, responses={201: shapes.Payment})
    @once
    def post(self, request: Request, name: str) -> Response:
        """The payment. The invoice is PAID where nothing is due any more.

        A payment is never changed: a mistake is taken back by one with a negative amount.
        """
        invoice, at = invoices.of_name(name), timezone.now()
        asked = bodies.read(NewPayment, request.data)
        asked.setdefault("received_at", at)
        payment = paying.record(invoice=invoice, **asked, at=at, by=actor(request))
        return Response(_shown(payment, invoice), status=status.HTTP_201_CREATED)


def _shown(payment: Payment, invoice: Invoice) -> shapes.Payment:
    return shapes.Payment(
        id=payment.pk,
        invoice=str(invoice.number),
        currency=invoice.currency,
        amount=amounts.text(payment.amount, invoice.currency),
        received_at=periods.format_instant(payment.received_at),
        reference=payment.reference,
        recorded_at=periods.format_instant(payment.recorded_at),
        recorded_by=payment.recorded_by,
    )


def _standing(invoice: Invoice) -> shapes.Standing:
    now = paying.standing(invoice=invoice)
    return shapes.Standing(
        **{
            name: amounts.text(getattr(now, name), invoice.currency)
            for name in shapes.Standing.__struct_fields__
        }
    )
