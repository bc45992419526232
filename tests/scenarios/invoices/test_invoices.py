"""The life of invoices in plain text: every file beside this one happens in a database, and must end with the
documents that its text works out by hand.

A scenario is a title, a story, and two parts. `Happens` holds, in YAML, the plans and the steps in order of
time, as in the scenarios of subscriptions, with further verbs (see `Books`). `Documents` says which
invoices and credit notes there are at the end: a heading for each, and below it a line for each amount that
is not zero: the day on which its piece of a period begins, a name as in the scenarios of rating
(`adjustment of NAME` where it corrects an earlier period), a colon, the sum as a person would write it, and
after the last "=" the amount. Discounts and taxes follow by their names, then the total, and what is still
due where that is not the same.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing import publishing, reconciling, taxing
from billing.invoicing import adjusting, crediting, paying, running, voiding
from billing.models import CreditNote, Customer, CustomerTax, Invoice, InvoiceLine, Payment, ServicePeriod
from metering import rolling
from metering.documents import load_text
from tests.scenarios.rating import test_scenarios as rating_scenarios
from tests.scenarios.subscriptions import test_subscriptions as subscription_scenarios
from tests.scenarios.subscriptions.test_subscriptions import Story
from tests.world import catalog, meters

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))
MORNING = timedelta(hours=6)  # of a day on which something is billed
LATEST = datetime(2027, 2, 1, tzinfo=UTC)


class Books(Story):
    """Steps that happen to customers, their subscriptions and their invoices."""

    def grace(self, at: datetime, customer: str, hours: int) -> None:
        Customer.objects.filter(key=customer).update(grace_hours=hours)

    def tax(self, at: datetime, customer: str, **values: Any) -> None:
        """``rates``: percents by name, or a ``treatment`` with a ``note``."""
        rates = [
            taxing.define_rate(code=f"rate-{place}", name=name, percent=Decimal(percent))
            for place, (name, percent) in enumerate(values.pop("rates", {}).items())
        ]
        treatment = values.pop("treatment", CustomerTax.Treatment.TAXED)
        taxing.assign(customer=Customer.objects.get(key=customer), treatment=treatment, rates=rates, **values)

    def adjust(self, at: datetime) -> None:
        """Late usage is rolled up, and looked at."""
        rolling.roll_up(limit=1000, at=at + MORNING)
        assert adjusting.run(at=at + MORNING).failed == {}

    def bill(self, at: datetime) -> None:
        """In the morning of the day late usage is looked at, and everything is invoiced that is due."""
        self.adjust(at)
        assert running.run(as_of=at + MORNING, at=at + MORNING).failed == {}

    def void(self, at: datetime, invoice: str) -> None:
        voiding.void(invoice=numbered(invoice), at=at)

    def issue_again(self, at: datetime, invoice: str) -> None:
        voiding.reissue(invoice=numbered(invoice), at=at)

    def give_back(self, at: datetime, invoice: str, amount: str, reason: str) -> None:
        crediting.credit_amount(invoice=numbered(invoice), amount=Decimal(amount), reason=reason, at=at)

    def receive(self, at: datetime, invoice: str, amount: str) -> None:
        paying.record(
            invoice=numbered(invoice), amount=Decimal(amount), received_at=at, reference="", at=at, by="ann"
        )


def numbered(number: str) -> Invoice:
    return Invoice.objects.get(number=number)


def documents() -> dict[str, list[tuple[str, str]]]:
    """Everything that was issued or waits, by heading."""
    found = {}
    for invoice in Invoice.objects.order_by("number", "pk"):
        found[heading(invoice)] = [*lines_of(invoice), *sums_of(invoice)]
    for note in CreditNote.objects.order_by("number"):
        rows = [(line.name, str(line.amount)) for line in note.lines.order_by("position")]
        rows += [(each["name"], each["amount"]) for each in note.taxes if Decimal(each["amount"])]
        found[f"{note.number} of {note.invoice.number}"] = [*rows, ("total", str(note.total))]
    return found


def heading(invoice: Invoice) -> str:
    if invoice.state == Invoice.State.DRAFT:
        state = "waiting" if invoice.finalize_at is None else "draft"
        return f"{state} for {invoice.customer.key}"
    state = "" if invoice.state == Invoice.State.FINALIZED else f" {invoice.get_state_display().lower()}"
    return f"{invoice.number} for {invoice.customer.key}{state}"


def lines_of(invoice: Invoice) -> list[tuple[str, str]]:
    rows = []
    periods = ServicePeriod.objects.filter(invoice=invoice)
    for period in periods.order_by("start_at", "subscription__key", "part", "sequence"):
        for line in InvoiceLine.objects.filter(service_period=period, amount__gt=0) | (
            InvoiceLine.objects.filter(service_period=period, amount__lt=0)
        ):
            rows.append((f"{period.start_at:%Y-%m-%d} {name_of(line)}", str(line.amount)))
        rows += [
            (f"{period.start_at:%Y-%m-%d} discount {each['name']}", each["amount"])
            for each in period.discounts
            if Decimal(each["amount"])
        ]
    return rows


def name_of(line: InvoiceLine) -> str:
    kind = line.adjusts or line.kind
    said = {"kind": kind, "component": line.component, "group": line.group, "dimensions": line.dimensions}
    name = "trial" if kind == "trial" else rating_scenarios.name_of(said)
    return f"adjustment of {name}" if line.adjusts else name


def sums_of(invoice: Invoice) -> list[tuple[str, str]]:
    rows = [(each["name"], each["amount"]) for each in invoice.taxes]
    rows.append(("total", str(invoice.total)))
    if (
        CreditNote.objects.filter(invoice=invoice).exists()
        or Payment.objects.filter(invoice=invoice).exists()
    ):
        now = paying.standing(invoice=invoice)
        rows.append(("due", str(now.due)))
        if now.overpaid:
            rows.append(("overpaid", str(now.overpaid)))
    return rows


@pytest.mark.django_db
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
class TestScenario:
    def test_ends_with_the_documents_that_its_text_works_out(self, path: Path):
        text = path.read_text()
        happens = load_text(rating_scenarios.part(text, "Happens"), f"{path.name}.yaml")
        catalog.seller()
        meters.meter("tokens", "SUM", value="tokens", unit="token")
        books = Books()
        for document in happens["plans"]:
            publishing.apply(document={"currency": "USD", **document}, at=catalog.LONG_AGO)
        for step in happens["steps"]:
            books.happen(step)
        assert documents() == subscription_scenarios.expected_of(text, "Documents")
        assert list(reconciling.invoices(at=LATEST)) == []


def test_there_are_scenarios():
    assert len(SCENARIOS) >= 20
