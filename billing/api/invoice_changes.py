"""``/api/v1/invoices/{name}/...``: what may become of an invoice, each verb an address of its own."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import invoices, shapes
from billing.api.views import View
from billing.invoicing import finalizing, voiding
from metering.api import bodies
from metering.api.effects import once


class Finalize(View):
    """A draft made final."""

    @extend_schema(operation_id="finalize_invoice", request=None, responses=shapes.FullInvoice)
    @once
    def post(self, request: Request, name: str) -> Response:
        """The draft of that id, computed once more from live usage, then numbered, dated and frozen."""
        bodies.read(bodies.NothingToSay, request.data)
        done = finalizing.finalize(invoice=invoices.of_name(name), at=timezone.now())
        return Response(invoices.shown_anew(done))


class Void(View):
    """An invoice taken back."""

    @extend_schema(operation_id="void_invoice", request=None, responses=shapes.FullInvoice)
    @once
    def post(self, request: Request, name: str) -> Response:
        """The invoice, now void: nothing is due of it. It keeps its number and its lines.

        Its periods are charged by nothing until it is issued again.
        """
        bodies.read(bodies.NothingToSay, request.data)
        done = voiding.void(invoice=invoices.of_name(name), at=timezone.now())
        return Response(invoices.shown_anew(done))


class Reissue(View):
    """A void invoice issued again."""

    @extend_schema(operation_id="reissue_invoice", request=None, responses={201: shapes.FullInvoice})
    @once
    def post(self, request: Request, name: str) -> Response:
        """The draft in place of a void invoice, from usage and contracts as they are now.

        The next invoice run finalizes it, unless somebody does so before.
        """
        bodies.read(bodies.NothingToSay, request.data)
        draft = voiding.reissue(invoice=invoices.of_name(name), at=timezone.now())
        return Response(
            invoices.shown_anew(draft),
            status=status.HTTP_201_CREATED,
            headers={"Location": f"/api/v1/invoices/{draft.pk}"},
        )
