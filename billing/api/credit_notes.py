"""``/api/v1/credit-notes`` and those of an invoice: what was given back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import amounts, invoices, shapes
from billing.api.amounts import DecimalField
from billing.api.invoices import MonthField
from billing.api.views import View, found
from billing.exports import invoices as months
from billing.invoicing import crediting
from billing.models import CreditNote, CreditNoteLine
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body, TextField
from metering.api.effects import once
from metering.api.parameters import text

LINES_MAX = 1000
# Where lines are credited, an amount at fault stands in one of them; the message names it.
_OF_LINES = {"amount": "lines"}


class CreditNoteFilters(pages.PagesByNumber):
    """``month``: in which it was issued (UTC), as exports have it; ``customer``: by key."""

    month = MonthField(required=False)
    customer = text()


class CreditOfLine(Body):
    """How much of a line, by its id on the invoice, is given back, before tax."""

    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    amount = DecimalField()


class NewCreditNote(Body):
    """What is given back, and why: either ``amount``, before tax, or a part of some ``lines``.

    The taxes of the invoice go back with it. ``reason`` is printed.
    """

    amount = DecimalField(required=False)
    lines = CreditOfLine(many=True, required=False)
    reason = TextField(max_length=1000)

    def validate_lines(self, lines: list[dict[str, Any]]) -> dict[int, Any]:
        by_id = {each["id"]: each["amount"] for each in lines}
        if not 0 < len(lines) <= LINES_MAX or len(by_id) < len(lines):
            raise serializers.ValidationError(f"name 1 to {LINES_MAX:,} lines, each of them once")
        return by_id

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("amount" in attrs) == ("lines" in attrs):
            raise serializers.ValidationError({"amount": ["say either `amount` or `lines`"]})
        return attrs


class CreditNotes(View):
    """The credit notes."""

    @extend_schema(
        operation_id="list_credit_notes", parameters=[CreditNoteFilters], responses=shapes.CreditNotes
    )
    def get(self, request: Request) -> Response:
        """A page of credit notes, the latest first."""
        asked = parameters.read(CreditNoteFilters, request)
        rows = months.credit_notes_of(asked["month"]) if "month" in asked else CreditNote.objects.all()
        if "customer" in asked:
            rows = rows.filter(customer__key=asked["customer"])
        return _page(rows, asked)


class OneCreditNote(View):
    """A credit note."""

    @extend_schema(operation_id="get_credit_note", responses=shapes.FullCreditNote)
    def get(self, request: Request, number: str) -> Response:
        """The credit note of that number, with its lines."""
        parameters.read(parameters.NoParameters, request)
        return Response(
            _shown_in_full(found(_related(CreditNote.objects.all()), "credit note", number=number))
        )


class CreditNotesOfInvoice(View):
    """What was given back of an invoice."""

    @extend_schema(
        operation_id="list_credit_notes_of_invoice",
        parameters=[pages.PagesByNumber],
        responses=shapes.CreditNotes,
    )
    def get(self, request: Request, name: str) -> Response:
        """A page of the invoice's credit notes, the latest first."""
        asked = parameters.read(pages.PagesByNumber, request)
        return _page(CreditNote.objects.filter(invoice=invoices.of_name(name)), asked)

    @extend_schema(
        operation_id="issue_credit_note", request=NewCreditNote, responses={201: shapes.FullCreditNote}
    )
    @once
    def post(self, request: Request, name: str) -> Response:
        """The credit note, numbered and frozen. The invoice is PAID where nothing is due any more.

        Never more is given back than the invoice, or its line, charged and has not given back yet.
        """
        invoice = invoices.of_name(name)
        note = self._issued(bodies.read(NewCreditNote, request.data), invoice=invoice, at=timezone.now())
        return Response(
            _shown_in_full(_related(CreditNote.objects.all()).get(pk=note.pk)),
            status=status.HTTP_201_CREATED,
            headers={"Location": f"/api/v1/credit-notes/{note.number}"},
        )

    def _issued(self, asked: Mapping[str, Any], **of: Any) -> CreditNote:
        if "lines" not in asked:
            return crediting.credit_amount(amount=asked["amount"], reason=asked["reason"], **of)
        self.members = _OF_LINES
        return crediting.credit_lines(amounts=asked["lines"], reason=asked["reason"], **of)


def _page(rows: QuerySet[CreditNote], asked: Mapping[str, Any]) -> Response:
    page = pages.page(_related(rows), by="id", asked=asked, is_descending=True)
    notes = [shapes.CreditNote(**_head(each)) for each in page.rows]
    return Response(shapes.CreditNotes(credit_notes=notes, next=page.next))


def _related(rows: QuerySet[CreditNote]) -> QuerySet[CreditNote]:
    return rows.select_related("invoice", "customer")


def _shown_in_full(note: CreditNote) -> shapes.FullCreditNote:
    return shapes.FullCreditNote(
        **_head(note),
        seller=note.seller,
        buyer=note.buyer,
        lines=[_line(each, note.currency) for each in note.lines.order_by("position")],
    )


def _head(note: CreditNote) -> dict[str, Any]:
    return {
        "number": note.number,
        "invoice": note.invoice.number,
        "customer": note.customer.key,
        "issued_at": periods.format_instant(note.issued_at),
        "currency": note.currency,
        "subtotal": amounts.text(note.subtotal, note.currency),
        "taxes": note.taxes,
        "tax_total": amounts.text(note.tax_total, note.currency),
        "total": amounts.text(note.total, note.currency),
        "reason": note.reason,
    }


def _line(row: CreditNoteLine, currency: str) -> shapes.CreditedLine:
    return shapes.CreditedLine(
        kind=row.kind,
        component=row.component,
        group=row.group,
        dimensions=row.dimensions,
        name=row.name,
        amount=amounts.text(row.amount, currency),
        note=row.note,
        invoice_line=row.invoice_line_id,
    )
