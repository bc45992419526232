"""What the dashboard shows of a month, each figure by one bounded statement."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber, TruncHour

from billing.exports import invoices
from billing.models import Customer, CustomerSubject, Invoice, Plan, Seller, Subscription
from metering.models import ApiKey, Event, EventBatch, Meter, RejectedEvent
from metering.periods import Period

CURRENCIES_MAX = 4
CUSTOMERS_MAX = 8
DRAFTS_MAX = 5
COUNTED_MAX = 1000
HOUR = timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class Revenue:
    """A month in one currency: what finalized invoices came to, and what drafts would add."""

    currency: str
    invoiced: Decimal
    drafted: Decimal
    invoices: int
    drafts: int


@dataclasses.dataclass(frozen=True)
class Counted:
    """A number of rows, counted up to `COUNTED_MAX`."""

    number: int

    @property
    def text(self) -> str:
        return f"{self.number:,}" if self.number <= COUNTED_MAX else f"over {COUNTED_MAX:,}"


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that a new deployment needs, whether it is there, and where to get it."""

    title: str
    hint: str
    route: str
    link: str
    is_done: bool


def revenue(month: date) -> list[Revenue]:
    """By currency, the largest number of invoices first: totals of the invoices that belong to the month.

    Which those are is said by `billing.exports.invoices`, so that a month's export adds up to the same.
    """
    rows = (
        _invoices(month)
        .values("currency")
        .annotate(
            invoiced=Sum("total", filter=Q(state__in=invoices.CHARGED)),
            drafted=Sum("total", filter=Q(state=Invoice.State.DRAFT)),
            invoices=Count("pk", filter=Q(state__in=invoices.CHARGED)),
            drafts=Count("pk", filter=Q(state=Invoice.State.DRAFT)),
        )
        .order_by("-invoices", "currency")[:CURRENCIES_MAX]
    )
    return [
        Revenue(**{**row, "invoiced": row["invoiced"] or Decimal(0), "drafted": row["drafted"] or Decimal(0)})
        for row in rows
    ]


def top_customers(month: date, *, currencies: Sequence[str]) -> list[dict[str, Any]]:
    """Of each currency, in this order, the customers with the largest totals, drafts included.

    Keys: customer (id), key, name, currency, total and ``share``, whole percents of the currency's largest.
    """
    rows = (
        _invoices(month)
        .filter(currency__in=currencies)
        .values("customer", "currency", name=F("customer__name"), key=F("customer__key"))
        .annotate(total=Sum("total"))
        .annotate(
            rank=Window(
                RowNumber(), partition_by="currency", order_by=[F("total").desc(), F("customer").asc()]
            )
        )
        .filter(rank__lte=CUSTOMERS_MAX)
    )
    largest = {row["currency"]: row["total"] for row in rows if row["rank"] == 1}
    in_order = sorted(rows, key=lambda row: (currencies.index(row["currency"]), row["rank"]))
    return [{**row, "share": _share(row["total"], largest[row["currency"]])} for row in in_order]


def events_by_hour(month: Period, *, at: datetime) -> list[tuple[datetime, int]]:
    """How many events happened in each hour of the month (until ``at``), the empty hours too."""
    counts = dict(
        Event.objects.filter(time__gte=month.start, time__lt=month.end)
        .annotate(hour=TruncHour("time", tzinfo=UTC))
        .values_list("hour")
        .annotate(number=Count("*"))
        .order_by()
    )
    end = max([min(month.end, at), *(hour + HOUR for hour in counts)])
    hours = []
    start = month.start
    while start < end:
        hours.append((start, counts.get(start, 0)))
        start += HOUR
    return hours


def pending_batches() -> Counted:
    """Batches that are committed but not rolled up yet."""
    return _counted(EventBatch.objects.filter(rolled_epoch__isnull=True))


def rejected_events() -> Counted:
    """Events that were turned away and wait for somebody."""
    return _counted(RejectedEvent.objects.all())


def blocked_drafts() -> Sequence[Invoice]:
    """The oldest drafts that cannot be finalized, with their customers: at most `DRAFTS_MAX` and one."""
    drafts = Invoice.objects.filter(state=Invoice.State.DRAFT).exclude(blocked_reason="")
    return list(drafts.select_related("customer").order_by("pk")[: DRAFTS_MAX + 1])


def overdue(today: date) -> Counted:
    """Invoices that were due before ``today`` and are not paid."""
    return _counted(Invoice.objects.filter(state=Invoice.State.FINALIZED, due_date__lt=today))


def first_steps() -> list[Step]:
    """What a deployment needs before its first invoice, in order."""
    return [
        Step(
            "Say who sells",
            "Your company, as it is printed on invoices.",
            "admin:billing_seller_changelist",
            "Add the seller",
            Seller.objects.exists(),
        ),
        Step(
            "Say what is counted",
            "A meter turns events into a quantity.",
            "console:meter_upload",
            "Upload a meter",
            Meter.objects.exists(),
        ),
        Step(
            "Say what it costs",
            "A plan prices the quantities of meters.",
            "console:plan_upload",
            "Upload a plan",
            Plan.objects.exists(),
        ),
        Step(
            "Add a customer",
            "Somebody who is invoiced.",
            "admin:billing_customer_add",
            "Add a customer",
            Customer.objects.exists(),
        ),
        Step(
            "Say what the customer pays for",
            "The subjects, which are the names that events carry: open the customer and assign one.",
            "admin:billing_customer_changelist",
            "Choose the customer",
            CustomerSubject.objects.exists(),
        ),
        Step(
            "Put the customer on the plan",
            "A subscription says from when on.",
            "admin:billing_subscription_add",
            "Add a subscription",
            Subscription.objects.exists(),
        ),
        Step(
            "Make an API key",
            "For whoever sends the events.",
            "admin:metering_apikey_add",
            "Make a key",
            ApiKey.objects.exists(),
        ),
        Step(
            "Send the first event",
            "The command below does it.",
            "console:events",
            "See the events",
            EventBatch.objects.exists(),
        ),
    ]


def _invoices(month: date) -> QuerySet[Invoice]:
    return invoices.of_month(month).filter(state__in=[*invoices.CHARGED, Invoice.State.DRAFT]).order_by()


def _share(amount: Decimal, largest: Decimal) -> int:
    return int(100 * amount / largest) if amount > 0 else 0


def _counted(rows: QuerySet) -> Counted:
    return Counted(rows[: COUNTED_MAX + 1].count())
