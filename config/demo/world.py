"""Who the demo bills and for what: seller, meters, plans, customers and subscriptions.

Every step is safe to repeat: what is there already stays as it is.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connection

from billing import publishing, registering, subscribing
from billing.models import Customer, Invoice, Plan, Subscription
from config.demo import failures, traces
from metering import defining, documents
from metering.models import Event
from metering.periods import Period

FOLDER = Path(__file__).parent / "documents"
PLAN_FILES = ("usage.yaml", "duration.yaml", "resource.yaml", "hybrid.yaml")
# The tenants of the Helios cluster take these in turn.
TENANT_PLANS = ("demo-duration", "demo-resource", "demo-hybrid")
MONTH = Period(
    start=datetime.datetime(2020, 5, 1, tzinfo=datetime.UTC),
    end=datetime.datetime(2020, 6, 1, tzinfo=datetime.UTC),
)
PUBLISHED_BY = "demo"


@dataclasses.dataclass(frozen=True)
class Buyer:
    """A customer of the demo with the one subject that it pays for."""

    key: str
    name: str
    address: str
    subject: str
    plan: str
    reserved_gpus: int = 0  # 0: the plan knows no reservation

    @property
    def overrides(self) -> dict[str, Any]:
        """What this buyer's subscription replaces in its plan."""
        if not self.reserved_gpus:
            return {}
        reserved = str(self.reserved_gpus)
        return {
            "reserved-gpus": {"quantity": reserved},
            "overage": {"included": {"quantity": reserved, "every": "HOUR"}},
        }


def buyers() -> tuple[Buyer, ...]:
    """The 18 customers: two Azure services, then the 16 Helios tenants by name, their plans in turn."""
    azure = [
        Buyer(
            key=service.subject,
            name=name,
            address=f"Azure LLM inference trace 2023\n{service.file}",
            subject=service.subject,
            plan="demo-usage",
        )
        for service, name in zip(
            traces.AZURE_SERVICES,
            ("Azure code completion (trace)", "Azure conversation (trace)"),
            strict=True,
        )
    ]
    return tuple(azure + [_tenant(place, tenant) for place, tenant in enumerate(traces.tenants())])


def _tenant(place: int, tenant: traces.Tenant) -> Buyer:
    plan = TENANT_PLANS[place % len(TENANT_PLANS)]
    return Buyer(
        key=f"helios-{tenant.subject}",
        name=f"Helios {tenant.subject}",
        address="Helios trace, Earth cluster\nNTU S-Lab",
        subject=tenant.subject,
        plan=plan,
        # No tenant ever ran more than its quota; half of it leaves something to pay beyond the reservation.
        reserved_gpus=0 if plan == "demo-duration" else tenant.quota_gpus // 2,
    )


def refuse_strangers() -> None:
    """Raises `DemoRefused` where the database holds a customer that is not the demo's.

    A database without tables holds none; of one with older tables only the customers' keys are read.
    """
    if Customer._meta.db_table not in connection.introspection.table_names():
        return
    keys = [buyer.key for buyer in buyers()]
    strangers = Customer.objects.exclude(key__in=keys).order_by("key").values_list("key", flat=True)
    stranger = strangers.first()
    if stranger is not None:
        count = strangers.count()
        holds = "1 customer that is" if count == 1 else f"{count:,} customers that are"
        raise failures.DemoRefused(
            f"this database holds {holds} not the demo's: {stranger}{', ...' if count > 1 else ''}; "
            "give the demo a database of its own, or unset DATABASE_URL"
        )


def refuse_other_part(*, every: int) -> None:
    """Raises `DemoRefused` where a run with another part of the rows was here before: no check could hold."""
    first = traces.model_calls(every=1)[0]
    holds_all = Event.objects.filter(
        time=datetime.datetime.fromisoformat(first["time"]), source=first["source"], event_id=first["id"]
    ).exists()
    if every > 1 and holds_all:
        raise failures.DemoRefused(
            "this database holds the whole demo; run it again without --tenth, or name another LOCAL_DIR"
        )
    if every == 1 and not holds_all and _invoices().exists():
        raise failures.DemoRefused(
            "this database holds invoices of a tenth of the demo; name another LOCAL_DIR, or add --tenth"
        )


def _invoices() -> Any:
    keys = [buyer.key for buyer in buyers()]
    return Invoice.objects.filter(customer__key__in=keys).exclude(state=Invoice.State.DRAFT)


def finalized_invoices() -> dict[str, Invoice]:
    """The finalized invoices of the demo by customer key. Raises `DemoFailed` where one has two of them."""
    found: dict[str, Invoice] = {}
    for invoice in _invoices().exclude(state=Invoice.State.VOID).select_related("customer").order_by("id"):
        if invoice.customer.key in found:
            raise failures.DemoFailed(f"{invoice.customer.key} has two invoices: the month was billed twice")
        found[invoice.customer.key] = invoice
    return found


def set_up(*, at: datetime.datetime) -> None:
    """Seller, meters, plans, customers and subscriptions, each if it is not there yet."""
    registering.seller(
        name="Meterbook Demo Cloud",
        legal_name="Meterbook Demo Cloud (fictitious)",
        tax_id="DEMO-0000",
        address="1 Example Street\n00000 Exampleton",
        email="billing@example.com",
        payment_reference="A demonstration: nothing is to be paid.",
    )
    try:
        defining.apply(document=meter_documents(), at=at)
    except defining.MeterChanged as error:
        raise failures.DemoFailed(str(error)) from error
    for document in plan_documents():
        if not Plan.objects.filter(code=document["code"]).exists():
            publishing.apply(document=document, at=at, by=PUBLISHED_BY)
    for buyer in buyers():
        _subscribe(buyer, at)


def _subscribe(buyer: Buyer, at: datetime.datetime) -> None:
    customer = Customer.objects.filter(key=buyer.key).first()
    if customer is None:
        customer = registering.customer(
            key=buyer.key, name=buyer.name, currency="USD", address=buyer.address, at=at
        )
    subscription = Subscription.objects.filter(key=buyer.key).first()
    if subscription is None:
        subscription = subscribing.subscribe(
            customer=customer,
            plan=Plan.objects.get(code=buyer.plan),
            key=buyer.key,
            start_at=MONTH.start,
            end_at=MONTH.end,
            anchor_date=MONTH.start.date(),
            overrides=buyer.overrides,
            at=at,
        )
    if not customer.subjects.filter(subject=buyer.subject).exists():
        subscribing.assign_subject(
            customer=customer, subject=buyer.subject, validity=MONTH, subscription=subscription
        )


def meter_documents() -> list[Mapping[str, Any]]:
    """The meters of ``documents/meters.yaml``."""
    return _loaded("meters.yaml")


def plan_documents() -> list[Mapping[str, Any]]:
    """The four plans, a file each."""
    return [_loaded(file) for file in PLAN_FILES]


def _loaded(file: str) -> Any:
    return documents.load_text((FOLDER / file).read_text(encoding="utf-8"), file)
